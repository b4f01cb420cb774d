// State and timers of a stateful transform, which its runner keeps and the host of its stage reads and writes (stage-host, H6).
//
// Everything here is that of one key and window: the ones of the element or timer that the runner has delivered last, or those that were selected
// since. What is written is there at once for who reads it, and taken back if the bundle fails.
import type { Timestamp, Window } from "../values/index.js";

/** At most one value. */
export interface ValueCell<V = unknown> {
  read(): V | undefined;
  write(value: V): void;
  clear(): void;
  /** Whether what it holds was written in the bundle under way: nobody misses it as it was if it is changed in place. */
  readonly isFresh: boolean;
}

/** Any number of values, in the order in which they came. */
export interface BagCell<V = unknown> {
  /** Not to be changed; what is added later may show in it, or not. */
  read(): readonly V[];
  add(value: V): void;
  clear(): void;
}

/** Any number of values for each of any number of map keys, which are equal when their encodings are. */
export interface MultimapCell<K = unknown, V = unknown> {
  readonly size: number;
  keys(): IterableIterator<K>;
  /** Not to be changed; empty for a map key that is not there. */
  get(key: K): readonly V[];
  add(key: K, value: V): void;
  /** The only value of the map key from now on. */
  replace(key: K, value: V): void;
  remove(key: K): void;
  clear(): void;
}

/** A value of an ordered list, and what orders it. */
export interface OrderedEntry<V = unknown> {
  readonly sortKey: number;
  readonly value: V;
}

/** Values by ascending sort key, those of equal ones as they came. */
export interface OrderedListCell<V = unknown> {
  add(sortKey: number, value: V): void;
  /** The entries with `from <= sortKey < to`. */
  read(from: number, to: number): readonly OrderedEntry<V>[];
  clear(from: number, to: number): void;
}

/** Timers of one family: told apart by tags, the empty one where there are no others. */
export interface TimerCells {
  /** The input watermark, or the processing time, as the runner sees it. */
  readonly now: Timestamp;
  /**
   * Sets the timer, in place of the one that was set with this tag.
   *
   * @param outputAt the timestamp of what its callback puts out
   * @param holds whether the output watermark waits there until the timer has fired
   */
  set(tag: string, fireAt: Timestamp, outputAt: Timestamp, holds: boolean): void;
  clear(tag: string): void;
}

/** A timer whose time has come, or a window that has expired with something in it. */
export interface FiredTimer {
  readonly family: string;
  readonly tag: string;
  readonly key: unknown;
  readonly window: Window;
  readonly fireAt: Timestamp;
  readonly outputAt: Timestamp;
}

/** The cells of a stateful transform, by the ids of its payload. Ask once, and keep them. */
export interface KeyedState {
  /**
   * From now on the cells are about another key and window, of the open bundle: for a host whose functions come back to them in any order. The next
   * delivery selects for itself.
   *
   * @returns false, and the cells are about whatever they were, if the window has expired
   */
  select(key: unknown, window: Window): boolean;
  value(id: string): ValueCell;
  bag(id: string): BagCell;
  multimap(id: string): MultimapCell;
  orderedList(id: string): OrderedListCell;
  timers(family: string): TimerCells;
  /** The last instant of event time at which there is state of a window. */
  expiryOf(window: Window): Timestamp;
}
