import { kvCoder } from "../../portability/coders/index.js";
import { kv, type KV, type Timestamp } from "../../portability/values/index.js";
import type { DoFn, FunctionContext, FunctionDoFn, FunctionOptions } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { SideInputs } from "../model/side-input.js";
import { componentCoder } from "./keyed-coder.js";
import { elementwise } from "./par-do.js";

type None = Record<never, never>;
type Fn<T, R, S extends SideInputs> = (value: T, context: FunctionContext<S>) => R;
type Guard<T, U extends T, S extends SideInputs> = (value: T, context: FunctionContext<S>) => value is U;
type Options = FunctionOptions<SideInputs>;
type Args<T, R> = [name: string, fn: Fn<T, R, SideInputs>, options?: Options] | [fn: Fn<T, R, SideInputs>, options?: Options];

function doFnOf<T, R>(kind: FunctionDoFn["kind"], args: Args<T, R>): { name: string | undefined; doFn: DoFn } {
  const [name, fn, options] =
    typeof args[0] === "string"
      ? [args[0], args[1] as Fn<T, R, SideInputs>, args[2]]
      : [undefined, args[0], args[1] as Options | undefined];
  if (typeof fn !== "function") throw new TypeError(`${kind} needs a function`);
  return { name, doFn: { kind, fn, concurrency: options?.concurrency ?? 16, sideInputs: options?.with } };
}

/**
 * One output for each element: what `fn` returns, or what its promise resolves to. Output order is input order.
 *
 * @example `words.apply(map((word) => word.length))`
 * @example `orders.apply(map((order, { rates }) => order.amount * (rates.get(order.currency) ?? 1), { with: { rates: asMap(exchangeRates) } }))`
 */
export function map<T, R, const S extends SideInputs = None>(
  fn: Fn<T, R, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<Awaited<R>>>;
export function map<T, R, const S extends SideInputs = None>(
  name: string,
  fn: Fn<T, R, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<Awaited<R>>>;
export function map<T, R>(...args: Args<T, R>): PTransform<PCollection<T>, PCollection<Awaited<R>>> {
  const { name, doFn } = doFnOf("map", args);
  return elementwise(name, "map", doFn);
}

/**
 * Any number of outputs for each element: the items of the iterable or async iterable that `fn` returns.
 * Long iterables are taken lazily, at the pace of whatever reads them.
 *
 * @example `lines.apply(flatMap((line) => line.split(" ")))`
 */
export function flatMap<T, R, const S extends SideInputs = None>(
  fn: Fn<T, Iterable<R> | AsyncIterable<R> | Promise<Iterable<R> | AsyncIterable<R>>, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<R>>;
export function flatMap<T, R, const S extends SideInputs = None>(
  name: string,
  fn: Fn<T, Iterable<R> | AsyncIterable<R> | Promise<Iterable<R> | AsyncIterable<R>>, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<R>>;
export function flatMap<T, R>(...args: Args<T, unknown>): PTransform<PCollection<T>, PCollection<R>> {
  const { name, doFn } = doFnOf("flat-map", args);
  return elementwise(name, "flatMap", doFn);
}

/**
 * The elements for which `fn` returns, or resolves to, true; of the type that `fn` tells them to have, if it is a type guard.
 *
 * @example `numbers.apply(filter((n) => n > 0))`
 * @example
 * ```ts
 * const notes: PCollection<string> = orders.apply(map((order) => order.note)).apply(filter((note): note is string => note !== null));
 * ```
 */
export function filter<T, U extends T, const S extends SideInputs = None>(
  fn: Guard<T, U, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<U>>;
export function filter<T, U extends T, const S extends SideInputs = None>(
  name: string,
  fn: Guard<T, U, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<U>>;
export function filter<T, const S extends SideInputs = None>(
  fn: Fn<T, boolean | Promise<boolean>, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<T>>;
export function filter<T, const S extends SideInputs = None>(
  name: string,
  fn: Fn<T, boolean | Promise<boolean>, S>,
  options?: FunctionOptions<S>,
): PTransform<PCollection<T>, PCollection<T>>;
export function filter<T>(...args: Args<T, boolean | Promise<boolean>>): PTransform<PCollection<T>, PCollection<T>> {
  const { name, doFn } = doFnOf("filter", args);
  return elementwise(name, "filter", doFn, (input) => input.coder);
}

/**
 * The keys of keyed elements.
 *
 * @example
 * ```ts
 * sales.apply(keys()).apply(distinct());
 * ```
 */
export function keys<K>(name?: string): PTransform<PCollection<KV<K, unknown>>, PCollection<K>> {
  return elementwise(name, "keys", { kind: "map", fn: (e: KV<K, unknown>) => e.key, concurrency: 16 }, (i) => componentCoder(i.coder, 0));
}

/**
 * The values of keyed elements.
 *
 * @example
 * ```ts
 * sales.apply(values()).apply(sumGlobally());
 * ```
 */
export function values<V>(name?: string): PTransform<PCollection<KV<unknown, V>>, PCollection<V>> {
  return elementwise(name, "values", { kind: "map", fn: (e: KV<unknown, V>) => e.value, concurrency: 16 }, (i) =>
    componentCoder(i.coder, 1),
  );
}

/**
 * Keys as values and values as keys.
 *
 * @example
 * ```ts
 * words.apply(countPerElement()).apply(kvSwap()).apply(groupByKey());
 * ```
 */
export function kvSwap<K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<V, K>>> {
  return elementwise(name, "kvSwap", { kind: "map", fn: ({ key, value }: KV<K, V>) => kv(value, key), concurrency: 1 }, ({ coder }) =>
    kvCoder(componentCoder(coder, 1), componentCoder(coder, 0)),
  );
}

/**
 * Keys every element by what `fn` returns for it.
 *
 * @example `clicks.apply(withKeys((click) => click.page))`
 */
export function withKeys<T, K>(fn: (value: T) => K): PTransform<PCollection<T>, PCollection<KV<Awaited<K>, T>>>;
export function withKeys<T, K>(name: string, fn: (value: T) => K): PTransform<PCollection<T>, PCollection<KV<Awaited<K>, T>>>;
export function withKeys<T, K>(
  ...args: [string, (value: T) => K] | [(value: T) => K]
): PTransform<PCollection<T>, PCollection<KV<Awaited<K>, T>>> {
  const [name, keyOf] = args.length === 2 ? args : [undefined, args[0]];
  const fn = (value: T): unknown => {
    const key: unknown = keyOf(value);
    return key instanceof Promise ? key.then((settled: unknown) => kv(settled, value)) : kv(key, value);
  };
  return elementwise(name, "withKeys", { kind: "map", fn, concurrency: 16 });
}

/** Options of {@link withTimestamps}. */
export interface TimestampOptions {
  /** How far back a timestamp may be moved, in milliseconds; default 0. Elements that go behind the watermark are late. */
  readonly allowedSkewMs?: number;
}

/**
 * Gives every element the timestamp, in milliseconds, that `fn` returns for it: forwards freely, back by what the options allow. Its windows
 * stay: apply `windowInto` behind it.
 *
 * @example `events.apply(withTimestamps((event) => event.at))`
 */
export function withTimestamps<T>(
  fn: (value: T) => Timestamp | Promise<Timestamp>,
  options?: TimestampOptions,
): PTransform<PCollection<T>, PCollection<T>>;
export function withTimestamps<T>(
  name: string,
  fn: (value: T) => Timestamp | Promise<Timestamp>,
  options?: TimestampOptions,
): PTransform<PCollection<T>, PCollection<T>>;
export function withTimestamps<T>(
  ...args:
    | [string, (value: T) => Timestamp | Promise<Timestamp>, TimestampOptions?]
    | [(value: T) => Timestamp | Promise<Timestamp>, TimestampOptions?]
): PTransform<PCollection<T>, PCollection<T>> {
  const [name, fn, options] = typeof args[0] === "string" ? [args[0], args[1], args[2]] : [undefined, args[0], args[1]];
  const doFn = { kind: "timestamp", fn, concurrency: 16, allowedSkewMs: (options as TimestampOptions | undefined)?.allowedSkewMs } as DoFn;
  return elementwise(name, "withTimestamps", doFn, (input) => input.coder);
}
