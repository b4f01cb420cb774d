import type { StateSpec } from "../model/state-spec.js";
import { coderFor, keyCoderFor, type ElementType } from "./element-type.js";
import { paged } from "./paged.js";

/** State of one value for each of any number of map keys. */
export interface MapState<K, V> {
  readonly size: number;
  has(key: K): boolean;
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  keys(): IterableIterator<K>;
  entries(): IterableIterator<readonly [K, V]>;
  clear(): void;
}

/** State of more map keys than should be in memory at a time. */
export interface LargeMapState<K, V> {
  has(key: K): Promise<boolean>;
  get(key: K): Promise<V | undefined>;
  set(key: K, value: V): void;
  delete(key: K): void;
  keys(): AsyncIterable<K>;
  entries(): AsyncIterable<readonly [K, V]>;
  clear(): void;
}

/**
 * State of a value for each map key (Beam's MapState). Map keys are equal when their encoded bytes are. Say `large` where there are too many of them
 * to have in memory at a time: then they are read asynchronously, page by page.
 *
 * @throws PipelineError when the coder of map keys is not deterministic
 * @example
 * ```ts
 * clicks.apply(withKeys((click) => click.user)).apply(statefulParDo({
 *   state: { visits: mapOf(schema.string, schema.int32) },
 *   process({ value: { page } }, { state }) {
 *     state.visits.set(page, (state.visits.get(page) ?? 0) + 1);
 *   },
 * }));
 * ```
 */
export function mapOf<K, V>(
  keys?: ElementType<K>,
  values?: ElementType<V>,
  options?: { readonly large?: false },
): StateSpec<MapState<K, V>>;
export function mapOf<K, V>(
  keys: ElementType<K> | undefined,
  values: ElementType<V> | undefined,
  options: { readonly large: true },
): StateSpec<LargeMapState<K, V>>;
export function mapOf<K, V>(
  keys?: ElementType<K>,
  values?: ElementType<V>,
  options: { readonly large?: boolean } = {},
): StateSpec<MapState<K, V> | LargeMapState<K, V>> {
  return {
    kind: "map",
    coders: [keyCoderFor("map keys", keys), coderFor(values)],
    open(state, id) {
      const cell = state.multimap(id);
      const small: MapState<K, V> = {
        get size() {
          return cell.size;
        },
        has: (key) => cell.get(key).length > 0,
        get: (key) => cell.get(key)[0] as V | undefined,
        set: (key, value) => cell.replace(key, value),
        delete: (key) => cell.remove(key),
        keys: () => cell.keys() as IterableIterator<K>,
        *entries() {
          for (const key of small.keys()) yield [key, cell.get(key)[0] as V] as const;
        },
        clear: () => cell.clear(),
      };
      if (options.large !== true) return small;
      return {
        set: (key, value) => small.set(key, value),
        delete: (key) => small.delete(key),
        clear: () => small.clear(),
        has: (key) => Promise.resolve(small.has(key)),
        get: (key) => Promise.resolve(small.get(key)),
        keys: () => paged(small.keys()),
        entries: () => paged(small.entries()),
      };
    },
  };
}
