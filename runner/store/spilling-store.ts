import { HeapStore, SPLIT_AT } from "./heap-store.js";
import { MergedTables } from "./merged-tables.js";
import { SpillingBag, type SpillParts } from "./spilling-bag.js";
import type { StateStore } from "./state-store.js";

/** A store in memory whose bags go to disk when memory runs short. */
export function spillingStore(parts: Omit<SpillParts, "splitAt" | "tables">, splitAt = SPLIT_AT): StateStore {
  const tables = new MergedTables<unknown>();
  return new HeapStore(parts.groups, splitAt, () => new SpillingBag({ ...parts, splitAt, tables }));
}
