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
  return { key, value };
}
