import type { KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { SideInput, ViewKind } from "../model/side-input.js";
import { keyedCoders } from "./keyed-coder.js";

function view<V>(kind: ViewKind, pcollection: PCollection<unknown>, fallback?: { readonly value: unknown }): SideInput<V> {
  return { kind, pcollection, fallback };
}

/**
 * The one element of a PCollection, in the window that goes with the main element's.
 *
 * None is an error unless there is a default, and more than one always is.
 *
 * @example
 * ```ts
 * const total = orders.apply(map(({ amount }) => amount)).apply(sumGlobally());
 * orders.apply(map((order, { total: sum }) => order.amount / sum, { with: { total: asSingleton(total) } }));
 * ```
 */
export function asSingleton<T>(pcollection: PCollection<T>): SideInput<T>;
export function asSingleton<T, D>(pcollection: PCollection<T>, options: { readonly default: D }): SideInput<T | D>;
export function asSingleton<T>(pcollection: PCollection<T>, options?: { readonly default: unknown }): SideInput<unknown> {
  return view("singleton", pcollection, options === undefined ? undefined : { value: options.default });
}

/**
 * All elements of a PCollection in the window that goes with the main element's, in no particular order; may be iterated again.
 *
 * @example
 * ```ts
 * words.apply(filter("allowed", (word, { stop }) => ![...stop].includes(word), { with: { stop: asIterable(stopWords) } }));
 * ```
 */
export function asIterable<T>(pcollection: PCollection<T>): SideInput<Iterable<T>> {
  return view("iterable", pcollection);
}

/**
 * As {@link asIterable}, with a length and access by index.
 *
 * @example
 * ```ts
 * numbers.apply(map((n, { all }) => n / all.length, { with: { all: asList(numbers) } }));
 * ```
 */
export function asList<T>(pcollection: PCollection<T>): SideInput<readonly T[]> {
  return view("list", pcollection);
}

/**
 * The value of each key. Two values of one key in a window are an error; see {@link asMultimap}.
 *
 * Keys are equal when their encoded bytes are, as for `groupByKey`: a record can be looked up by an equal one.
 *
 * @example
 * ```ts
 * orders.apply(map(({ amount, currency }, { rates }) => amount * (rates.get(currency) ?? 1), { with: { rates: asMap(exchangeRates) } }));
 * ```
 *
 * @throws PipelineError at construction when the key coder is not deterministic.
 */
export function asMap<K, V>(pcollection: PCollection<KV<K, V>>): SideInput<ReadonlyMap<K, V>> {
  keyedCoders(pcollection, "asMap()");
  return view("map", pcollection);
}

/**
 * The values of each key, in no particular order.
 *
 * @throws PipelineError at construction when the key coder is not deterministic.
 * @example
 * ```ts
 * users.apply(flatMap(({ id }, { visits }) => visits.get(id) ?? [], { with: { visits: asMultimap(visitsByUser) } }));
 * ```
 */
export function asMultimap<K, V>(pcollection: PCollection<KV<K, V>>): SideInput<ReadonlyMap<K, readonly V[]>> {
  keyedCoders(pcollection, "asMultimap()");
  return view("multimap", pcollection);
}
