import { LastingGroups, type Groups } from "./groups.js";
import { HeapBag } from "./heap-bag.js";
import type { KeyGroups } from "./key-groups.js";
import type { StateKey } from "./key-space.js";
import type { KeyTable } from "./key-table.js";
import { newTable, type MergedTable, type MergedTables } from "./merged-tables.js";
import type { BagCells, Merge } from "./state-store.js";

/** What the bags of one cell share. */
export interface MergingParts<V> {
  readonly groups: KeyGroups;
  readonly splitAt: number;
  readonly merge: Merge<V>;
  readonly tables: MergedTables<V>;
}

/**
 * The bag cells of one window in memory, for values that merge: of each key it has one, what its values come to.
 *
 * - M1. The values of a key, merged, come to what all that were added do. As long as every merge succeeds there is one, else several, which
 *   whoever takes them has to merge: so a failure is met again there.
 * - M2. From the first merge on that does not succeed the bag is a {@link HeapBag}, and nothing more is merged before the bag is taken.
 * - M3. What there is lies in two flat arrays, keys and values by number: where both are numbers, the garbage collector has nothing to do with them.
 */
export class MergingBag<V> implements BagCells<V> {
  private table: MergedTable<V>;
  private keys: KeyTable;
  private merged: V[];
  private readonly groups: KeyGroups;
  private readonly merge: Merge<V>;
  /** M2 */
  private unmerged: HeapBag<V> | undefined;

  constructor(private readonly parts: MergingParts<V>) {
    ({ groups: this.groups, merge: this.merge } = parts);
    this.table = parts.tables.take();
    ({ keys: this.keys, merged: this.merged } = this.table);
  }

  /** Gives false if it takes no more memory than before. */
  add(key: StateKey, value: V): boolean {
    const { unmerged, keys, merged } = this;
    if (unmerged !== undefined) return unmerged.add(key, value);
    const before = keys.size;
    const number = keys.numberOf(key, this.groups.keys.hash(key));
    if (number === before) {
      merged[number] = value;
      return true;
    }
    const both = this.merge(merged[number], value);
    if (both === undefined) return this.giveUp().add(key, value);
    merged[number] = both;
    return typeof both !== "number";
  }

  get isMerged(): boolean {
    return this.unmerged === undefined;
  }

  get(key: StateKey): readonly V[] {
    if (this.unmerged !== undefined) return this.unmerged.get(key);
    const number = this.keys.find(key, this.groups.keys.hash(key));
    return number < 0 ? [] : [this.merged[number]];
  }

  *entries(): IterableIterator<[StateKey, V[]]> {
    const { unmerged, keys, merged } = this;
    if (unmerged !== undefined) yield* unmerged.entries();
    else for (let number = 0; number < keys.size; number++) yield [keys.keys[number], [merged[number]]];
  }

  takeAll(): Groups<V> {
    const { unmerged, table } = this;
    const { tables } = this.parts;
    this.unmerged = undefined;
    if (unmerged !== undefined) return unmerged.takeAll();
    this.table = newTable();
    ({ keys: this.keys, merged: this.merged } = this.table);
    return new MergedGroups(table, tables);
  }

  /** M2 */
  private giveUp(): HeapBag<V> {
    const { groups, splitAt } = this.parts;
    const unmerged = new HeapBag<V>(groups, splitAt);
    for (const [key, values] of this.takeAll()) for (const value of values) unmerged.add(key, value);
    return (this.unmerged = unmerged);
  }
}

/** One value for each key. */
class MergedGroups<V> extends LastingGroups<V> {
  number = -1;

  constructor(
    private readonly table: MergedTable<V>,
    private readonly tables: MergedTables<V>,
  ) {
    super();
  }

  get key(): StateKey {
    return this.table.keys.keys[this.number];
  }

  get values(): readonly V[] {
    return [this.table.merged[this.number]];
  }

  advance(): boolean {
    return ++this.number < this.table.keys.size;
  }

  keyAt(number: number): StateKey {
    return this.table.keys.keys[number];
  }

  valuesAt(number: number): readonly V[] {
    return [this.table.merged[number]];
  }

  release(): void {
    this.tables.giveBack(this.table);
  }
}
