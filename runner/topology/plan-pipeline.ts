import { fusePipeline, type FuseOptions, type LengthPrefixOptions, type Pipeline } from "../graph/index.js";
import { buildTopology, type TopologyOptions } from "./build-topology.js";
import type { Topology } from "./topology.js";

/** How a pipeline is planned. */
export interface PlanOptions extends TopologyOptions, LengthPrefixOptions, FuseOptions {}

/**
 * Everything between a submitted pipeline and its topology: pure, and the same for equal pipelines and options.
 *
 * @throws PipelineError if the pipeline cannot run here; its message is for the pipeline's author.
 * @example
 * ```ts
 * const { components, streams } = planPipeline(translated, { parallelism: 2 });
 * ```
 */
export function planPipeline(pipeline: Pipeline, options: PlanOptions): Topology {
  return buildTopology(fusePipeline(pipeline, options), options);
}
