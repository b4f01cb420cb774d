// The graph of a pipeline's leaf transforms, for lookups in both directions.
//
// G1. `transforms` lists producers before consumers (see topological-order.ts).
// G2. `components` is what the graph was made of: every id in the graph resolves there.
import type { beam } from "../../portability/protos/index.js";
import { leafTransforms, readPCollections, type LeafTransform } from "./leaf-transforms.js";
import { topologicalOrder } from "./topological-order.js";

export interface PipelineGraph {
  readonly components: beam.pipeline.IComponents;
  readonly transforms: readonly LeafTransform[];
  /** The transform that produces a PCollection, by PCollection id. */
  readonly producers: ReadonlyMap<string, LeafTransform>;
  /** Transforms that read a PCollection, as a side input or otherwise, each once however often it reads it, by PCollection id. */
  readonly consumers: ReadonlyMap<string, readonly LeafTransform[]>;
}

/** Expects a pipeline that `validatePipeline` accepts. */
export function pipelineGraph(pipeline: beam.pipeline.IPipeline): PipelineGraph {
  const transforms = topologicalOrder(leafTransforms(pipeline));
  const producers = new Map<string, LeafTransform>();
  const consumers = new Map<string, LeafTransform[]>();
  for (const transform of transforms) {
    for (const output of transform.outputs) producers.set(output, transform);
    for (const input of new Set(readPCollections(transform))) {
      const known = consumers.get(input);
      if (known === undefined) consumers.set(input, [transform]);
      else known.push(transform);
    }
  }
  return { components: pipeline.components ?? {}, transforms, producers, consumers };
}

/** Transforms that have an effect: those an SDK executes, and all on a way to one. In the order of the graph. */
export function liveTransforms(graph: PipelineGraph): LeafTransform[] {
  const live = new Set<LeafTransform>();
  for (const transform of [...graph.transforms].reverse()) {
    const needed = transform.outputs.some((output) => graph.consumers.get(output)?.some((consumer) => live.has(consumer)));
    if (transform.kind === "sdk" || needed) live.add(transform);
  }
  return graph.transforms.filter((transform) => live.has(transform));
}
