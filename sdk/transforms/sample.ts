import type { KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";
import { elementwise } from "./par-do.js";
import { topFn } from "./top-fn.js";

/**
 * A random sample of `n` values, each as likely to be in it as any other; all of them if there are no more.
 *
 * Every value draws a lot, and the `n` greatest lots stay: so samples of parts merge into a sample of the whole.
 *
 * @example
 * ```ts
 * visitsByUser.apply(combinePerKey(sampleFn<string>(10)));
 * ```
 */
export function sampleFn<T>(n: number): CombineFn<T, (readonly [lot: number, value: T])[], T[]> {
  const top = topFn<readonly [lot: number, value: T]>(n, ([a], [b]) => a - b);
  return {
    createAccumulator: () => top.createAccumulator(),
    addInput: (lots, value) => top.addInput(lots, [Math.random(), value]),
    mergeAccumulators: (left, right) => top.mergeAccumulators(left, right),
    extractOutput: (lots) => lots.map(([, value]) => value),
  };
}

/**
 * A random sample of `n` elements of each window, as one array.
 *
 * @example
 * ```ts
 * lines.apply(sampleGlobally(100));
 * ```
 */
export const sampleGlobally = <T>(n: number, name?: string): PTransform<PCollection<T>, PCollection<T[]>> =>
  globally(name, "sampleGlobally", sampleFn<T>(n));

/**
 * A random sample of `n` values of each key, as one array.
 *
 * @example
 * ```ts
 * visitsByUser.apply(samplePerKey(10));
 * ```
 */
export const samplePerKey = <K, T>(n: number, name?: string): PTransform<PCollection<KV<K, T>>, PCollection<KV<K, T[]>>> =>
  perKey(name, "samplePerKey", sampleFn<T>(n));

/**
 * Any `n` elements of each window, as elements: cheaper than a random sample.
 *
 * @example
 * ```ts
 * lines.apply(sampleAny(10));
 * ```
 */
export function sampleAny<T>(n: number, name?: string): PTransform<PCollection<T>, PCollection<T>> {
  if (!(Number.isSafeInteger(n) && n > 0)) throw new RangeError(`a whole number above 0 is needed, not ${n}`);
  const some: CombineFn<T, T[], T[]> = {
    createAccumulator: () => [],
    addInput(found, value) {
      if (found.length < n) found.push(value);
      return found;
    },
    mergeAccumulators: (left, right) => left.concat(right.slice(0, n - left.length)),
    extractOutput: (found) => found,
  };
  return {
    name,
    defaultName: "sampleAny",
    expand: (input) => input.apply(globally("some", "some", some)).apply(elements(input)),
  };
}

function elements<T>(like: PCollection<T>): PTransform<PCollection<T[]>, PCollection<T>> {
  return elementwise("elements", "elements", { kind: "flat-map", fn: (found: T[]) => found, concurrency: 1 }, () => like.coder);
}
