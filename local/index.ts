// Runs pipelines on this machine, by the same runtime that a cluster has: in this process, or in several.
export { describeTopology, local, topologyOf, type LocalOptions } from "./local-runner.js";
