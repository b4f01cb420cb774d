import { PipelineError } from "../../portability/stage-host/index.js";
import type { Coder } from "../../portability/coders/index.js";
import { sameWindowing } from "../model/windowing.js";
import { anyValue } from "./element-coder.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";

/**
 * All elements of several PCollections in one (`beam:transform:flatten:v1`). Apply it to the pipeline.
 *
 * @example `p.apply(flatten([ours, theirs]))`
 */
export function flatten<T>(inputs: readonly PCollection<T>[]): PTransform<Pipeline, PCollection<T>>;
export function flatten<T>(name: string, inputs: readonly PCollection<T>[]): PTransform<Pipeline, PCollection<T>>;
export function flatten<T>(
  ...args: [string, readonly PCollection<T>[]] | [readonly PCollection<T>[]]
): PTransform<Pipeline, PCollection<T>> {
  const [name, inputs] = args.length === 2 ? args : [undefined, args[0]];
  return {
    name,
    defaultName: "flatten",
    expand(p) {
      if (inputs.length === 0) throw new PipelineError("empty_flatten", `flatten needs at least one PCollection`);
      for (const input of inputs)
        if (input.graph !== p.graph)
          throw new PipelineError(
            "foreign_pcollection",
            `flatten was given a PCollection of another pipeline ("${input.producer.uniqueName}")`,
          );
      const [first, ...others] = inputs;
      for (const other of others)
        if (!sameWindowing(first.windowing, other.windowing))
          throw new PipelineError(
            "different_windows",
            `flatten "${p.graph.currentName}" was given PCollections that are windowed differently ("${first.producer.uniqueName}" and ` +
              `"${other.producer.uniqueName}"); apply windowInto() to them before`,
          );
      const coder = others.every((other) => sameCoder(first.coder, other.coder)) ? first.coder : anyValue;
      p.graph.setPrimitive({ kind: "flatten" }, new Map(inputs.map((input, i) => [`in${i}`, input as PCollection<unknown>])));
      return p.graph.output<T>(coder, first.windowing);
    },
  };
}

function sameCoder(a: Coder<unknown>, b: Coder<unknown>): boolean {
  if (a === b) return true;
  if (a.urn !== b.urn || a.components.length !== b.components.length) return false;
  if (Buffer.compare(a.payload ?? new Uint8Array(), b.payload ?? new Uint8Array()) !== 0) return false;
  return a.components.every((component, i) => sameCoder(component, b.components[i]));
}
