import { kvCoder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { countFn, maxFn, meanFn, minFn, sumFn } from "./combine-fns.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";
import { anyValue } from "./element-coder.js";
import { elementwise } from "./par-do.js";

/**
 * How many elements each window has.
 *
 * @example
 * ```ts
 * words.apply(countGlobally());
 * ```
 */
export const countGlobally = (name?: string): PTransform<PCollection<unknown>, PCollection<number>> =>
  globally(name, "countGlobally", countFn);

/**
 * How many values each key has.
 *
 * @example
 * ```ts
 * sales.apply(countPerKey());
 * ```
 */
export const countPerKey = <K>(name?: string): PTransform<PCollection<KV<K, unknown>>, PCollection<KV<K, number>>> =>
  perKey(name, "countPerKey", countFn);

/**
 * How often each element occurs.
 *
 * @example `words.apply(countPerElement()).apply(map(({ key, value }) => `${key}: ${value}`))`
 */
export function countPerElement<T>(name?: string): PTransform<PCollection<T>, PCollection<KV<T, number>>> {
  return {
    name,
    defaultName: "countPerElement",
    expand: (input) =>
      input
        .apply(
          elementwise<T, KV<T, null>>("key", "key", { kind: "map", fn: (value: T) => kv(value, null), concurrency: 1 }, (i) =>
            kvCoder(i.coder, anyValue),
          ),
        )
        .apply(perKey<T, unknown, number, number>("count", "count", countFn)),
  };
}

/**
 * The sum of all numbers of each window.
 *
 * @example
 * ```ts
 * numbers.apply(sumGlobally());
 * ```
 */
export const sumGlobally = (name?: string): PTransform<PCollection<number>, PCollection<number>> => globally(name, "sumGlobally", sumFn);
/**
 * The sum of each key's numbers.
 *
 * @example
 * ```ts
 * sales.apply(sumPerKey());
 * ```
 */
export const sumPerKey = <K>(name?: string): PTransform<PCollection<KV<K, number>>, PCollection<KV<K, number>>> =>
  perKey(name, "sumPerKey", sumFn);
/**
 * The mean of all numbers of each window.
 *
 * @example
 * ```ts
 * numbers.apply(meanGlobally());
 * ```
 */
export const meanGlobally = (name?: string): PTransform<PCollection<number>, PCollection<number>> => globally(name, "meanGlobally", meanFn);
/**
 * The mean of each key's numbers.
 *
 * @example
 * ```ts
 * sales.apply(meanPerKey());
 * ```
 */
export const meanPerKey = <K>(name?: string): PTransform<PCollection<KV<K, number>>, PCollection<KV<K, number>>> =>
  perKey(name, "meanPerKey", meanFn);

type Comparable = number | bigint | string | Date;

/**
 * The least element of each window.
 *
 * @example
 * ```ts
 * words.apply(minGlobally());
 * ```
 */
export const minGlobally = <T extends Comparable>(name?: string): PTransform<PCollection<T>, PCollection<T>> =>
  globally(name, "minGlobally", minFn<T>());
/**
 * The least value of each key.
 *
 * @example
 * ```ts
 * sales.apply(minPerKey());
 * ```
 */
export const minPerKey = <K, T extends Comparable>(name?: string): PTransform<PCollection<KV<K, T>>, PCollection<KV<K, T>>> =>
  perKey(name, "minPerKey", minFn<T>());
/**
 * The greatest element of each window.
 *
 * @example
 * ```ts
 * words.apply(maxGlobally());
 * ```
 */
export const maxGlobally = <T extends Comparable>(name?: string): PTransform<PCollection<T>, PCollection<T>> =>
  globally(name, "maxGlobally", maxFn<T>());
/**
 * The greatest value of each key.
 *
 * @example
 * ```ts
 * sales.apply(maxPerKey());
 * ```
 */
export const maxPerKey = <K, T extends Comparable>(name?: string): PTransform<PCollection<KV<K, T>>, PCollection<KV<K, T>>> =>
  perKey(name, "maxPerKey", maxFn<T>());
