/** A key and a value: the element type that groupings take and give. */
export interface KV<K, V> {
  readonly key: K;
  readonly value: V;
}

/**
 * Builds a {@link KV}. Every KV of the system comes from here, so that they share one shape.
 *
 * @example
 * ```ts
 * clicks.apply(map(({ page }) => kv(page, 1))).apply(sumPerKey());
 * ```
 */
export function kv<K, V>(key: K, value: V): KV<K, V> {
  return new Pair(key, value) as KV<K, V>;
}

/**
 * Makes plain objects, as `{ key, value }` would. But V8 watches how long the objects live that one literal makes; where many pairs are kept, as in a
 * table, it would come to allocate all pairs of a program among the old ones, which halves the speed of those that pass by.
 */
const Pair = function (this: { key: unknown; value: unknown }, key: unknown, value: unknown) {
  this.key = key;
  this.value = value;
} as unknown as new (key: unknown, value: unknown) => unknown;
Pair.prototype = Object.prototype;
