import { kvCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { fromBinary } from "./combine-fns.js";
import { anyValue } from "./element-coder.js";
import { elementwise } from "./par-do.js";
import { values } from "./elementwise.js";
import { withFanout } from "./hot-key-fanout.js";
import { withReason } from "./function-parts.js";
import { OF_COMBINING, perKey } from "./per-key.js";

/** A CombineFn, or an associative and commutative function of two values. */
export type Combiner<In, Acc, Out> = AsyncCombineFn<In, Acc, Out> | ((left: In, right: In) => (In & Out) | Promise<In & Out>);

/** Options of a combine. */
export interface CombineOptions<K> {
  /**
   * Combines the values of a key in this many parts first, which are combined into one afterwards: for keys with so many values that
   * one task could not keep up. A number for all keys, or a function that gives it for a key, 1 for those that are not hot.
   */
  readonly hotKeyFanout?: number | ((key: K) => number);
}

/**
 * Combines the values of each key, per window (`beam:transform:combine_per_key:v1`). Values are combined before they
 * are sent anywhere.
 *
 * @example `sales.apply(combinePerKey((a, b) => a + b))`
 */
export function combinePerKey<K, In>(
  fn: (left: In, right: In) => In | Promise<In>,
  options?: CombineOptions<K>,
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, In>>>;
export function combinePerKey<K, In, Acc, Out>(
  fn: AsyncCombineFn<In, Acc, Out>,
  options?: CombineOptions<K>,
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>>;
export function combinePerKey<K, In>(
  name: string,
  fn: (left: In, right: In) => In | Promise<In>,
  options?: CombineOptions<K>,
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, In>>>;
export function combinePerKey<K, In, Acc, Out>(
  name: string,
  fn: AsyncCombineFn<In, Acc, Out>,
  options?: CombineOptions<K>,
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>>;
export function combinePerKey(...args: unknown[]): PTransform<PCollection<KV<unknown, unknown>>, PCollection<KV<unknown, unknown>>> {
  const { name, combineFn, options } = combinerOf(args);
  if (options?.hotKeyFanout === undefined) return perKey(name, "combinePerKey", combineFn);
  return withFanout(name, "combinePerKey", combineFn, options.hotKeyFanout);
}

/**
 * Combines all elements of each window into one. A window without elements has no result.
 *
 * @example `numbers.apply(combineGlobally((a, b) => Math.max(a, b)))`
 */
export function combineGlobally<T>(
  fn: (left: T, right: T) => T | Promise<T>,
  options?: CombineOptions<null>,
): PTransform<PCollection<T>, PCollection<T>>;
export function combineGlobally<In, Acc, Out>(
  fn: AsyncCombineFn<In, Acc, Out>,
  options?: CombineOptions<null>,
): PTransform<PCollection<In>, PCollection<Out>>;
export function combineGlobally<T>(
  name: string,
  fn: (left: T, right: T) => T | Promise<T>,
  options?: CombineOptions<null>,
): PTransform<PCollection<T>, PCollection<T>>;
export function combineGlobally<In, Acc, Out>(
  name: string,
  fn: AsyncCombineFn<In, Acc, Out>,
  options?: CombineOptions<null>,
): PTransform<PCollection<In>, PCollection<Out>>;
export function combineGlobally(...args: unknown[]): PTransform<PCollection<unknown>, PCollection<unknown>> {
  const { name, combineFn, options } = combinerOf(args);
  return globally(name, "combineGlobally", combineFn, options?.hotKeyFanout);
}

/** @internal */
export function globally<In, Acc, Out>(
  name: string | undefined,
  defaultName: string,
  combineFn: AsyncCombineFn<In, Acc, Out>,
  fanout?: CombineOptions<unknown>["hotKeyFanout"],
): PTransform<PCollection<In>, PCollection<Out>> {
  const transform: PTransform<PCollection<In>, PCollection<Out>> = {
    name,
    defaultName,
    expand: (input) => {
      const keyed = elementwise<In, KV<null, In>>("key", "key", { kind: "map", fn: (value: In) => kv(null, value), concurrency: 1 }, (i) =>
        kvCoder(anyValue, i.coder as Coder<unknown>),
      );
      return input
        .apply(keyed)
        .apply(fanout === undefined ? perKey("combine", "combine", combineFn) : withFanout("combine", "combine", combineFn, fanout))
        .apply(values<Out>("value"));
    },
  };
  return withReason(transform, OF_COMBINING);
}

function combinerOf(args: unknown[]): {
  name: string | undefined;
  combineFn: AsyncCombineFn<unknown, unknown, unknown>;
  options: CombineOptions<unknown> | undefined;
} {
  const [name, fn, options] = typeof args[0] === "string" ? [args[0], args[1], args[2]] : [undefined, args[0], args[1]];
  const combineFn = typeof fn === "function" ? fromBinary(fn as (l: unknown, r: unknown) => unknown) : fn;
  return {
    name,
    combineFn: combineFn as AsyncCombineFn<unknown, unknown, unknown>,
    options: options as CombineOptions<unknown> | undefined,
  };
}
