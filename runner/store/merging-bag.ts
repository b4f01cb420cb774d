import { Groups } from "./groups.js";
import { HeapBag } from "./heap-bag.js";
import type { KeyGroups } from "./key-groups.js";
import type { StateKey } from "./key-space.js";
import { KeyTable } from "./key-table.js";
import type { BagCells, Merge } from "./state-store.js";

/**
 * The bag cells of one window in memory, for values that merge: of each key it has one, what its values come to.
 *
 * - M1. The values of a key, merged, come to what all that were added do. As long as every merge succeeds there is one, else several, which
 *   whoever takes them has to merge: so a failure is met again there.
 * - M2. From the first merge on that does not succeed the bag is a {@link HeapBag}, and nothing more is merged before the bag is taken.
 * - M3. What there is lies in two flat arrays, keys and values by number: where both are numbers, the garbage collector has nothing to do with them.
 */
export class MergingBag<V> implements BagCells<V> {
  private table = new KeyTable();
  /** By key number. */
  private merged: V[] = [];
  /** M2 */
  private unmerged: HeapBag<V> | undefined;

  constructor(
    private readonly groups: KeyGroups,
    private readonly splitAt: number,
    private readonly merge: Merge<V>,
  ) {}

  /** Gives false if it takes no more memory than before. */
  add(key: StateKey, value: V): boolean {
    const { unmerged, merged } = this;
    if (unmerged !== undefined) return unmerged.add(key, value);
    const number = this.table.numberOf(key, this.groups.keys.hash(key));
    if (number === merged.length) {
      merged.push(value);
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
    const number = this.table.find(key, this.groups.keys.hash(key));
    return number < 0 ? [] : [this.merged[number]];
  }

  *entries(): IterableIterator<[StateKey, V[]]> {
    const { unmerged, merged, table } = this;
    if (unmerged !== undefined) yield* unmerged.entries();
    else for (let number = 0; number < merged.length; number++) yield [table.keys[number], [merged[number]]];
  }

  takeAll(): Groups<V> {
    const { unmerged, merged, table } = this;
    this.unmerged = undefined;
    this.merged = [];
    this.table = new KeyTable();
    return unmerged === undefined ? new MergedGroups(table.keys, merged) : unmerged.takeAll();
  }

  /** M2 */
  private giveUp(): HeapBag<V> {
    const unmerged = new HeapBag<V>(this.groups, this.splitAt);
    const taken = this.takeAll();
    for (const [key, values] of taken) for (const value of values) unmerged.add(key, value);
    return (this.unmerged = unmerged);
  }
}

/** One value for each key. */
class MergedGroups<V> extends Groups<V> {
  private at = -1;

  constructor(
    private keys: readonly StateKey[],
    private merged: readonly V[],
  ) {
    super();
  }

  get key(): StateKey {
    return this.keys[this.at];
  }

  get values(): readonly V[] {
    return [this.merged[this.at]];
  }

  advance(): boolean {
    if (++this.at < this.merged.length) return true;
    this.keys = this.merged = [];
    return false;
  }
}
