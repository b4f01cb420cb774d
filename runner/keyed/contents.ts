// What the cells of one key and window hold. An empty cell has no content, so that it costs nothing.
import type { KeySpace, StateKey } from "../store/index.js";
import type { OrderedEntry } from "../../portability/stage-host/index.js";
import { NOT_LOGGED, type UndoLog, type Restorable } from "./undo-log.js";

/** Values in the order in which they came. They are only ever added: a bag that is cleared is dropped. */
export class Bag implements Restorable<number> {
  readonly values: unknown[] = [];
  private savedIn = 0;

  add(value: unknown, log: UndoLog): void {
    if (this.savedIn !== log.bundle) {
      this.savedIn = log.bundle;
      log.save(this, this.values.length);
    }
    this.values.push(value);
  }

  restore(length: number): void {
    this.values.length = length;
  }
}

interface MapEntry {
  readonly key: unknown;
  readonly bag: Bag;
}

/** Values by map key. */
export class Multimap implements Restorable<readonly [StateKey, MapEntry | undefined]> {
  private readonly entries = new Map<StateKey, MapEntry>();
  /** Map keys that are saved already, in the bundle of {@link savedIn}. */
  private readonly saved = new Set<StateKey>();
  private savedIn = 0;

  constructor(private readonly keySpace: KeySpace) {}

  get size(): number {
    return this.entries.size;
  }

  *keys(): IterableIterator<unknown> {
    for (const { key } of [...this.entries.values()]) yield key;
  }

  get(key: unknown): readonly unknown[] | undefined {
    return this.entries.get(this.keySpace.identify(key))?.bag.values;
  }

  add(key: unknown, value: unknown, log: UndoLog): void {
    const id = this.keySpace.identify(key);
    const before = this.entries.get(id);
    if (before !== undefined) before.bag.add(value, log);
    else this.set(id, key, value, log);
  }

  replace(key: unknown, value: unknown, log: UndoLog): void {
    this.set(this.keySpace.identify(key), key, value, log);
  }

  remove(key: unknown, log: UndoLog): void {
    const id = this.keySpace.identify(key);
    if (!this.entries.has(id)) return;
    this.save(id, log);
    this.entries.delete(id);
  }

  restore([id, entry]: readonly [StateKey, MapEntry | undefined]): void {
    if (entry === undefined) this.entries.delete(id);
    else this.entries.set(id, entry);
  }

  private set(id: StateKey, key: unknown, value: unknown, log: UndoLog): void {
    this.save(id, log);
    const bag = new Bag();
    bag.add(value, log);
    this.entries.set(id, { key, bag });
  }

  private save(id: StateKey, log: UndoLog): void {
    if (log === NOT_LOGGED) return;
    if (this.savedIn !== log.bundle) {
      this.savedIn = log.bundle;
      this.saved.clear();
    }
    if (this.saved.has(id)) return;
    this.saved.add(id);
    log.save(this, [id, this.entries.get(id)]);
  }
}

/** Entries by ascending sort key. Those that are added at the end leave the ones before in place; any other change is made in a copy. */
export class OrderedList implements Restorable<readonly [entries: OrderedEntry[], size: number]> {
  private entries: OrderedEntry[] = [];
  private savedIn = 0;
  private isCopy = false;

  get size(): number {
    return this.entries.length;
  }

  add(entry: OrderedEntry, log: UndoLog): void {
    this.save(log);
    const at = this.firstAtOrAfter(entry.sortKey, true);
    if (at === this.entries.length) this.entries.push(entry);
    else this.ownEntries().splice(at, 0, entry);
  }

  read(from: number, to: number): readonly OrderedEntry[] {
    return this.entries.slice(this.firstAtOrAfter(from), this.firstAtOrAfter(to));
  }

  clear(from: number, to: number, log: UndoLog): void {
    const first = this.firstAtOrAfter(from);
    const count = this.firstAtOrAfter(to) - first;
    if (count <= 0) return;
    this.save(log);
    this.ownEntries().splice(first, count);
  }

  restore([entries, size]: readonly [OrderedEntry[], number]): void {
    this.entries = entries;
    this.entries.length = size;
  }

  private save(log: UndoLog): void {
    if (this.savedIn === log.bundle) return;
    this.savedIn = log.bundle;
    this.isCopy = false;
    log.save(this, [this.entries, this.entries.length]);
  }

  private ownEntries(): OrderedEntry[] {
    if (!this.isCopy) this.entries = this.entries.slice();
    this.isCopy = true;
    return this.entries;
  }

  /** Of the first entry whose sort key is at least, or else above, the given one. */
  private firstAtOrAfter(sortKey: number, above = false): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { sortKey: there } = this.entries[middle];
      if (there < sortKey || (above && there === sortKey)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
