// State in memory, for speed. One hash table a window and cell; a large one is split by key group.
//
// H1. A JavaScript Map holds at most 16.7 M entries: a table is split long before.
// H2. Small tables, and so small windows, never hash a key a second time: splitting starts at SPLIT_AT keys.
import type { Window } from "../../portability/values/index.js";
import { HeapBag } from "./heap-bag.js";
import type { KeyGroups } from "./key-groups.js";
import type { StateKey } from "./key-space.js";
import type { BagCells, StateCell, StateStore, ValueCells } from "./state-store.js";
import { WindowMap } from "./window-map.js";

export const SPLIT_AT = 50_000;

export class HeapStore implements StateStore {
  private readonly cells = new Map<string, StateCell<unknown>>();
  private readonly newBag: () => BagCells<unknown>;

  /**
   * @param splitAt number of keys in a window from which its table is split by key group.
   * @param newBag makes the bags, for a store that keeps them in another way.
   */
  constructor(
    private readonly groups: KeyGroups,
    private readonly splitAt = SPLIT_AT,
    newBag?: () => BagCells<unknown>,
  ) {
    this.newBag = newBag ?? (() => new HeapBag<unknown>(groups, splitAt));
  }

  bag<V>(cell: string): StateCell<BagCells<V>> {
    return this.cell<BagCells<V>>(cell, () => this.newBag() as BagCells<V>);
  }

  value<V>(cell: string): StateCell<ValueCells<V>> {
    return this.cell<ValueCells<V>>(cell, () => new HeapValues<V>(this.groups, this.splitAt));
  }

  private cell<C extends Cells>(name: string, make: () => C): StateCell<C> {
    let cell = this.cells.get(name) as StateCell<C> | undefined;
    if (cell === undefined) this.cells.set(name, (cell = new HeapCell(make)) as StateCell<unknown>);
    return cell;
  }
}

interface Cells {
  drop?(): void;
}

class HeapCell<C extends Cells> implements StateCell<C> {
  private readonly windows = new WindowMap<C>();
  constructor(private readonly make: () => C) {}

  at(window: Window): C {
    let cells = this.windows.get(window);
    if (cells === undefined) this.windows.set(window, (cells = this.make()));
    return cells;
  }

  drop(window: Window): void {
    this.windows.get(window)?.drop?.();
    this.windows.delete(window);
  }
}

class HeapValues<V> implements ValueCells<V> {
  private whole: Map<StateKey, V> | undefined = new Map();
  private split: Map<StateKey, V>[] = [];

  constructor(
    private readonly groups: KeyGroups,
    private readonly splitAt: number,
  ) {}

  get size(): number {
    return this.whole?.size ?? this.split.reduce((sum, part) => sum + part.size, 0);
  }

  get(key: StateKey): V | undefined {
    return this.table(key).get(key);
  }

  set(key: StateKey, value: V): void {
    this.table(key).set(key, value);
    if (this.whole !== undefined && this.whole.size > this.splitAt) this.splitUp(this.whole);
  }

  delete(key: StateKey): void {
    this.table(key).delete(key);
  }

  private table(key: StateKey): Map<StateKey, V> {
    return this.whole ?? this.split[this.groups.of(key)];
  }

  private splitUp(whole: Map<StateKey, V>): void {
    this.split = Array.from({ length: this.groups.count }, () => new Map<StateKey, V>());
    for (const [key, value] of whole) this.split[this.groups.of(key)].set(key, value);
    this.whole = undefined;
  }
}
