// Refuses at submission what could not run: every later phase may rely on what this one has checked.
//
// V1. Whatever the runner does not know for certain how to execute is refused; nothing is ignored.
// V2. A message names the transform by its unique name, says what is wrong with it, and what its author can do.
import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { leafTransforms, readPCollections, type LeafTransform } from "./leaf-transforms.js";
import { topologicalOrder } from "./topological-order.js";
import { validateComponents } from "./validate-components.js";
import { validateLeaf } from "./validate-leaf.js";

/** Requirements of Beam, all of which can be met. */
const REQUIREMENTS: ReadonlySet<string> = new Set(
  ["stateful", "finalization", "stable_input", "time_sorted_input", "splittable_dofn", "on_window_expiration"].map(
    (name) => `beam:requirement:pardo:${name}:v1`,
  ),
);

/** @throws PipelineError with one of the codes of this folder: see the calls below. */
export function validatePipeline(pipeline: beam.pipeline.IPipeline): void {
  const unknown = (pipeline.requirements ?? []).filter((urn) => !REQUIREMENTS.has(urn));
  if (unknown.length > 0)
    throw new PipelineError("unknown_requirement", `the pipeline requires what this runner does not know: ${unknown.join(", ")}`);

  const components = pipeline.components ?? {};
  validateComponents(components);
  const leaves = leafTransforms(pipeline);
  validateProducers(leaves);
  topologicalOrder(leaves);
  for (const leaf of leaves) validateLeaf(leaf, components);
}

function validateProducers(leaves: readonly LeafTransform[]): void {
  const producers = new Map<string, LeafTransform>();
  for (const leaf of leaves)
    for (const output of new Set(leaf.outputs)) {
      const other = producers.get(output);
      if (other !== undefined)
        throw new PipelineError(
          "duplicate_producer",
          `PCollection "${output}" is produced by both "${other.uniqueName}" and "${leaf.uniqueName}"; join two outputs with a flatten`,
        );
      producers.set(output, leaf);
    }
  for (const leaf of leaves)
    for (const input of readPCollections(leaf))
      if (!producers.has(input))
        throw new PipelineError(
          "missing_producer",
          `transform "${leaf.uniqueName}" reads PCollection "${input}", which no transform below the roots produces; submit the complete pipeline`,
        );
}
