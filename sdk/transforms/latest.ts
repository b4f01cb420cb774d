import { kvCoder, nullableCoder, type Coder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { keyedCoders } from "./keyed-coder.js";
import { perKey } from "./per-key.js";
import { reifiedCoder, reifyTimestamps, reifyTimestampsOfValues, type Reified } from "./reify.js";
import { withCoder } from "./with-coder.js";

const latestFn = <T>(coder: Coder<unknown>): CombineFn<Reified<T>, Reified<T> | null, T> => ({
  accumulatorCoder: nullableCoder(reifiedCoder(coder)) as unknown as Coder<Reified<T> | null>,
  createAccumulator: () => null,
  addInput: (found, candidate) => (found === null || candidate.timestamp > found.timestamp ? candidate : found),
  mergeAccumulators: (left, right) => (left === null || (right !== null && right.timestamp > left.timestamp) ? right : left),
  extractOutput(found) {
    if (found === null) throw new RangeError("nothing to combine");
    return found.value;
  },
});

/**
 * The element of each window with the latest timestamp; any of them if several have it. With triggers that fire more than once, that of each pane.
 *
 * @example
 * ```ts
 * prices.apply(latestGlobally());
 * ```
 */
export const latestGlobally = <T>(name?: string): PTransform<PCollection<T>, PCollection<T>> => ({
  name,
  defaultName: "latestGlobally",
  expand: (input) =>
    input
      .apply(reifyTimestamps())
      .apply(globally("latest", "latest", latestFn<T>(input.coder)))
      .apply(withCoder(input.coder as Coder<T>)),
});

/**
 * The value of each key with the latest timestamp; any of them if several have it. With triggers that fire more than once, that of each pane.
 *
 * @example
 * ```ts
 * readings.apply(latestPerKey());
 * ```
 */
export const latestPerKey = <K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V>>> => ({
  name,
  defaultName: "latestPerKey",
  expand(input) {
    const { keyCoder, valueCoder } = keyedCoders(input);
    return input
      .apply(reifyTimestampsOfValues())
      .apply(perKey("latest", "latest", latestFn<V>(valueCoder)))
      .apply(withCoder(kvCoder(keyCoder, valueCoder) as unknown as Coder<KV<K, V>>));
  },
});
