import { fusePipeline, type LengthPrefixOptions, type Pipeline } from "../graph/index.js";
import { buildTopology, type TopologyOptions } from "./build-topology.js";
import type { Topology } from "./topology.js";

export interface PlanOptions extends TopologyOptions, LengthPrefixOptions {}

/**
 * Everything between a submitted pipeline and its topology: pure, and the same for equal pipelines and options.
 *
 * @throws PipelineError if the pipeline cannot run here; its message is for the pipeline's author.
 */
export function planPipeline(pipeline: Pipeline, options: PlanOptions): Topology {
  return buildTopology(fusePipeline(pipeline, options), options);
}
