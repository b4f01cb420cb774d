import type { KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "./combine.js";
import { perKey } from "./per-key.js";
import { naturalOrder, topFn, type Compare } from "./top-fn.js";

/**
 * The `n` greatest elements of each window, as one array, the greatest first.
 *
 * @example
 * ```ts
 * words.apply(countPerElement()).apply(topGlobally(20, (a, b) => a.value - b.value));
 * ```
 */
export const topGlobally = <T>(n: number, compare?: Compare<T>, name?: string): PTransform<PCollection<T>, PCollection<T[]>> =>
  globally(name, "topGlobally", topFn(n, compare));

/**
 * The `n` greatest values of each key, as one array, the greatest first.
 *
 * @example
 * ```ts
 * scores.apply(topPerKey(3));
 * ```
 */
export const topPerKey = <K, T>(
  n: number,
  compare?: Compare<T>,
  name?: string,
): PTransform<PCollection<KV<K, T>>, PCollection<KV<K, T[]>>> => perKey(name, "topPerKey", topFn(n, compare));

/**
 * The `n` least elements of each window, as one array, the least first.
 *
 * @example
 * ```ts
 * numbers.apply(smallestGlobally(5));
 * ```
 */
export const smallestGlobally = <T>(n: number, compare?: Compare<T>, name?: string): PTransform<PCollection<T>, PCollection<T[]>> =>
  globally(name, "smallestGlobally", topFn(n, reversed(compare)));

/**
 * The `n` least values of each key, as one array, the least first.
 *
 * @example
 * ```ts
 * scores.apply(smallestPerKey(3));
 * ```
 */
export const smallestPerKey = <K, T>(
  n: number,
  compare?: Compare<T>,
  name?: string,
): PTransform<PCollection<KV<K, T>>, PCollection<KV<K, T[]>>> => perKey(name, "smallestPerKey", topFn(n, reversed(compare)));

function reversed<T>(compare: Compare<T> = naturalOrder): Compare<T> {
  return (a, b) => compare(b, a);
}
