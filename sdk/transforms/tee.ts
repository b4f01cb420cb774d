import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";

/**
 * Hands its input to a branch on the side, and on unchanged.
 *
 * @example
 * ```ts
 * lines.apply(tee((all) => all.apply(countGlobally()).apply(map(String)).apply(textIO.write("out/line-count")))).apply(map((line) => line.length));
 * ```
 */
export function tee<T>(branch: (input: PCollection<T>) => unknown, name?: string): PTransform<PCollection<T>, PCollection<T>> {
  return {
    name,
    defaultName: "tee",
    expand(input) {
      branch(input);
      return input;
    },
  };
}
