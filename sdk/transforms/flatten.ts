import { PipelineError } from "../../portability/stage-host/index.js";
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
      p.graph.setPrimitive({ kind: "flatten" }, new Map(inputs.map((input, i) => [`in${i}`, input as PCollection<unknown>])));
      return p.graph.output<T>(inputs[0].coder, inputs[0].windowing);
    },
  };
}
