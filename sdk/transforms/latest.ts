import type { KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";
import { reifyTimestamps, reifyTimestampsOfValues, type Reified } from "./reify.js";

const latestFn = <T>(): CombineFn<Reified<T>, Reified<T> | null, T> => ({
  createAccumulator: () => null,
  addInput: (found, candidate) => (found === null || candidate.timestamp > found.timestamp ? candidate : found),
  mergeAccumulators: (left, right) => (left === null || (right !== null && right.timestamp > left.timestamp) ? right : left),
  extractOutput(found) {
    if (found === null) throw new RangeError("nothing to combine");
    return found.value;
  },
});

/**
 * The element of each window with the latest timestamp; any of them if several have it.
 *
 * @example
 * ```ts
 * prices.apply(latestGlobally());
 * ```
 */
export const latestGlobally = <T>(name?: string): PTransform<PCollection<T>, PCollection<T>> => ({
  name,
  defaultName: "latestGlobally",
  expand: (input) => input.apply(reifyTimestamps()).apply(globally("latest", "latest", latestFn<T>())),
});

/**
 * The value of each key with the latest timestamp; any of them if several have it.
 *
 * @example
 * ```ts
 * readings.apply(latestPerKey());
 * ```
 */
export const latestPerKey = <K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V>>> => ({
  name,
  defaultName: "latestPerKey",
  expand: (input) => input.apply(reifyTimestampsOfValues()).apply(perKey("latest", "latest", latestFn<V>())),
});
