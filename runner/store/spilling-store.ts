import { HeapStore, SPLIT_AT } from "./heap-store.js";
import { SpillingBag, type SpillParts } from "./spilling-bag.js";
import type { StateStore } from "./state-store.js";

/** A store in memory whose bags go to disk when memory runs short. */
export function spillingStore(parts: Omit<SpillParts, "splitAt">, splitAt = SPLIT_AT): StateStore {
  return new HeapStore(parts.groups, splitAt, () => new SpillingBag({ ...parts, splitAt }));
}
