// Keyed state of one task: cells by (key group, key, window, cell name), design D13.
//
// S1. A cell is visible under the key and window it was written with, and under no other.
// S2. Keys are identities of a KeySpace; the key group follows from the key, so callers never name it.
// S3. Iterating while the cells iterated over are deleted is allowed; entries added meanwhile may or may not be seen.
//
// Implementations: heap-store.ts, for speed, and spilling-store.ts, for groups beyond memory. What it promises about order: entries of a window come in no particular order.
import type { Window } from "../../portability/values/index.js";
import type { Groups } from "./groups.js";
import type { StateKey } from "./key-space.js";

export interface StateStore {
  /** The bag cells of a name: any number of values under each key and window. */
  bag<V>(cell: string): StateCell<BagCells<V>>;
  /** The value cells of a name: at most one value under each key and window. */
  value<V>(cell: string): StateCell<ValueCells<V>>;
}

/** One named cell across all keys and windows. */
export interface StateCell<Cells> {
  /** The cells of a window, made on first use. Hold on to it for as long as the window is dealt with. */
  at(window: Window): Cells;
  /** Forgets everything under a window. */
  drop(window: Window): void;
}

export interface ValueCells<V> {
  readonly size: number;
  get(key: StateKey): V | undefined;
  set(key: StateKey, value: V): void;
  delete(key: StateKey): void;
  drop?(): void;
}

/**
 * What two values of a bag come to, where one may stand for both; undefined where they have to stay two. It throws nothing, and changes
 * neither of them.
 */
export type Merge<V> = (left: V, right: V) => V | undefined;

export interface BagCells<V> {
  add(key: StateKey, value: V): void;
  /** The values of a key in order of addition; empty if there are none. Not to be changed. */
  get(key: StateKey): Iterable<V>;
  /** All keys and their values. */
  entries(): IterableIterator<[StateKey, Iterable<V>]>;
  /** The same, once: the bag is empty from now on, and memory is given back as the groups are gone through, or behind the last one. */
  takeAll(): Groups<V>;
  /** Gives back what the bag holds besides memory. */
  drop?(): void;
  /** Whether it has one value for each key, and {@link get} costs little: then what there is of a key may be written down as a whole. */
  readonly isMerged?: boolean;
  /** Told before that ends because the bag goes to disk. */
  beforeSpill?: () => void;
}
