import type { beam } from "../../portability/protos/index.js";
import { alignFlattens } from "./align-flattens.js";
import { expandSplittable } from "./expand-splittable.js";
import { fuse } from "./fuse.js";
import type { FusedPipeline } from "./fused-pipeline.js";
import { lengthPrefixUnknownCoders, type LengthPrefixOptions } from "./length-prefix.js";
import { liftCombiners } from "./lift-combiners.js";
import { pipelineGraph } from "./pipeline-graph.js";
import { validatePipeline } from "./validate.js";

/** A pipeline as it is submitted. */
export type Pipeline = beam.pipeline.IPipeline;

/**
 * All phases of this folder in their order.
 *
 * @throws PipelineError if the pipeline cannot run here; its message is for the pipeline's author.
 */
export function fusePipeline(pipeline: Pipeline, options: LengthPrefixOptions = {}): FusedPipeline {
  validatePipeline(pipeline);
  const graph = pipelineGraph(alignFlattens(expandSplittable(liftCombiners(pipeline)), options));
  return fuse(lengthPrefixUnknownCoders(graph, options));
}
