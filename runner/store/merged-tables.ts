import { KeyTable } from "./key-table.js";

/** Keys, and of each what its values come to, by number. */
export interface MergedTable<V> {
  readonly keys: KeyTable;
  readonly merged: V[];
}

/** Tables that are kept. */
const KEPT = 4;
/** Keys of a table that is kept, at most. */
const KEPT_KEYS = 1 << 18;

/**
 * Tables of the windows of one cell, used by one window after the other: those that grow are what a garbage collector that knows of generations does
 * worst with, large and neither short-lived nor lasting.
 */
export class MergedTables<V> {
  private readonly free: MergedTable<V>[] = [];

  /** An empty one. */
  take(): MergedTable<V> {
    return this.free.pop() ?? newTable();
  }

  /** It is not used any more. */
  giveBack(table: MergedTable<V>): void {
    const { keys, merged } = table;
    if (this.free.length === KEPT || keys.size === 0 || keys.capacity > KEPT_KEYS) return;
    (merged as unknown[]).fill(0, 0, keys.size); // nothing stays alive by it, and an array of numbers remains one
    keys.clear();
    this.free.push(table);
  }
}

export function newTable<V>(): MergedTable<V> {
  return { keys: new KeyTable(), merged: [] };
}
