import type { beam } from "../../portability/protos/index.js";
import { alignCoders } from "./align-coders.js";
import { delimitScripts } from "./delimit-scripts.js";
import { expandSplittable } from "./expand-splittable.js";
import { fuse, type FuseOptions } from "./fuse.js";
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
export function fusePipeline(pipeline: Pipeline, options: LengthPrefixOptions & FuseOptions = {}): FusedPipeline {
  validatePipeline(pipeline);
  const graph = pipelineGraph(delimitScripts(alignCoders(expandSplittable(liftCombiners(pipeline)), options), options));
  return fuse(lengthPrefixUnknownCoders(graph, options), options);
}
