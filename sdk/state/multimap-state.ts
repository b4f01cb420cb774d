import type { StateSpec } from "../model/state-spec.js";
import { coderFor, keyCoderFor, type ElementType } from "./element-type.js";
import { paged } from "./paged.js";

/** State of any number of values for each of any number of map keys. */
export interface MultimapState<K, V> {
  /** Number of map keys. */
  readonly size: number;
  has(key: K): boolean;
  /** In the order in which they were added. */
  get(key: K): readonly V[];
  add(key: K, value: V): void;
  /** Drops all values of a map key. */
  delete(key: K): void;
  keys(): IterableIterator<K>;
  entries(): IterableIterator<readonly [K, readonly V[]]>;
  clear(): void;
}

/** State of more map keys, or values, than should be in memory at a time. */
export interface LargeMultimapState<K, V> {
  has(key: K): Promise<boolean>;
  /** In the order in which they were added, page by page. */
  get(key: K): AsyncIterable<V>;
  add(key: K, value: V): void;
  /** Drops all values of a map key. */
  delete(key: K): void;
  keys(): AsyncIterable<K>;
  clear(): void;
}

/**
 * State of any number of values for each map key (Beam's MultimapState). Map keys are equal when their encoded bytes are. Say `large` where they, or
 * their values, are too many to have in memory at a time: then they are read asynchronously, page by page.
 *
 * @throws PipelineError when the coder of map keys is not deterministic
 * @example
 * ```ts
 * clicks.apply(withKeys((click) => click.user)).apply(statefulParDo({
 *   state: { times: multimapOf(schema.string, schema.int64) },
 *   process: ({ value: { page, at } }, { state }) => state.times.add(page, BigInt(at)),
 * }));
 * ```
 */
export function multimapOf<K, V>(
  keys?: ElementType<K>,
  values?: ElementType<V>,
  options?: { readonly large?: false },
): StateSpec<MultimapState<K, V>>;
export function multimapOf<K, V>(
  keys: ElementType<K> | undefined,
  values: ElementType<V> | undefined,
  options: { readonly large: true },
): StateSpec<LargeMultimapState<K, V>>;
export function multimapOf<K, V>(
  keys?: ElementType<K>,
  values?: ElementType<V>,
  options: { readonly large?: boolean } = {},
): StateSpec<MultimapState<K, V> | LargeMultimapState<K, V>> {
  return {
    kind: "multimap",
    coders: [keyCoderFor("map keys", keys), coderFor(values)],
    open(state, id) {
      const cell = state.multimap(id);
      const small: MultimapState<K, V> = {
        get size() {
          return cell.size;
        },
        has: (key) => small.get(key).length > 0,
        get: (key) => cell.get(key) as readonly V[],
        add: (key, value) => cell.add(key, value),
        delete: (key) => cell.remove(key),
        keys: () => cell.keys() as IterableIterator<K>,
        *entries() {
          for (const key of small.keys()) yield [key, cell.get(key) as readonly V[]] as const;
        },
        clear: () => cell.clear(),
      };
      if (options.large !== true) return small;
      return {
        add: (key, value) => small.add(key, value),
        delete: (key) => small.delete(key),
        clear: () => small.clear(),
        has: (key) => Promise.resolve(small.has(key)),
        get: (key) => paged(small.get(key)),
        keys: () => paged(small.keys()),
      };
    },
  };
}
