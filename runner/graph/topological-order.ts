// Transforms in an order in which producers come before consumers.
//
// O1. Stable: transforms that do not depend on each other keep the order in which they were given.
import { PipelineError } from "../../portability/stage-host/index.js";
import { readPCollections, type LeafTransform } from "./leaf-transforms.js";

/** @throws PipelineError `pipeline_cycle` that names the transforms on a cycle. */
export function topologicalOrder(transforms: readonly LeafTransform[]): LeafTransform[] {
  const producerOf = new Map<string, LeafTransform>();
  for (const transform of transforms) for (const output of transform.outputs) producerOf.set(output, transform);
  const ordered: LeafTransform[] = [];
  const state = new Map<LeafTransform, "open" | "done">();
  for (const root of transforms) visit(root);
  return ordered;

  /** Depth first along inputs, on a stack of its own: chains are as long as authors like. */
  function visit(root: LeafTransform): void {
    const path = [entryOf(root)];
    if (state.has(root)) return;
    state.set(root, "open");
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      if (top.next === top.inputs.length) {
        state.set(top.transform, "done");
        ordered.push(top.transform);
        path.pop();
        continue;
      }
      const producer = producerOf.get(top.inputs[top.next++]);
      if (producer === undefined || state.get(producer) === "done") continue;
      if (state.get(producer) === "open")
        throw cycle(
          path.map((entry) => entry.transform),
          producer,
        );
      state.set(producer, "open");
      path.push(entryOf(producer));
    }
  }
}

/** A transform on the way, and which of the PCollections that it reads is to be looked at next. */
function entryOf(transform: LeafTransform): { readonly transform: LeafTransform; readonly inputs: readonly string[]; next: number } {
  return { transform, inputs: readPCollections(transform), next: 0 };
}

function cycle(path: readonly LeafTransform[], closing: LeafTransform): PipelineError {
  // The path runs from consumers to producers; people read it the other way round.
  const names = [...path.slice(path.indexOf(closing)).reverse(), path.at(-1)!].map((transform) => `"${transform.uniqueName}"`);
  return new PipelineError("pipeline_cycle", `transforms feed each other in a circle: ${names.join(" → ")}; a pipeline must have no cycle`);
}
