// From fused stages to a topology in Storm's terms: spouts and bolts, each with a parallelism, joined by streams that each
// have a grouping. `planPipeline` is the way in and does all of it, from the proto on; `printTopology` shows the result.
// Pure functions: placing tasks on workers and running them is for others.
export * from "./build-topology.js";
export * from "./plan-pipeline.js";
export { printTopology, steps, streamLabel, title, type TopologyFormat } from "./print-topology.js";
export type * from "./topology.js";
