import type { StateKey } from "./key-space.js";

/** Keys and their values, one after the other: a cursor, so that a group costs no object more than it needs. */
export abstract class Groups<V> implements Iterable<[StateKey, Iterable<V>]> {
  /** The key of the group that it is at. */
  abstract readonly key: StateKey;
  /** Its values, in order of addition. To be asked for once a group. */
  abstract readonly values: Iterable<V>;

  /** Moves to the next group, at first to the first one; false if there is none. */
  abstract advance(): boolean;

  *[Symbol.iterator](): IterableIterator<[StateKey, Iterable<V>]> {
    while (this.advance()) yield [this.key, this.values];
  }
}

/** Groups that are had again by their numbers, the first one's being 0, until they are {@link release}d. */
export abstract class LastingGroups<V> extends Groups<V> {
  /** The number of the group that it is at. */
  abstract readonly number: number;

  abstract keyAt(number: number): StateKey;
  abstract valuesAt(number: number): Iterable<V>;

  /** Nobody asks for any of them any more: the memory that they are in may be used again. */
  abstract release(): void;
}

/** Those that an iterator gives. */
export class IteratedGroups<V> extends Groups<V> {
  key: StateKey = "";
  values: Iterable<V> = [];

  constructor(private readonly groups: Iterator<[StateKey, Iterable<V>]>) {
    super();
  }

  advance(): boolean {
    const next = this.groups.next();
    if (next.done === true) return false;
    [this.key, this.values] = next.value;
    return true;
  }
}
