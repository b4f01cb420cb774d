// The runner: plans a Beam pipeline as a topology of spouts and bolts, and runs it as a job.
export * from "./topology/index.js";
export * from "./job/index.js";
export { DEFAULT_RUNTIME_OPTIONS, type RuntimeOptions } from "./runtime/index.js";
