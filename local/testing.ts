// What authors' own tests need: the assertions and scripts of the SDK, and a runner that gives back what a pipeline puts out.
export * from "../sdk/testing/index.js";
export { runPipeline, type OutputsOf, type RunPipelineOptions } from "./run-pipeline.js";
