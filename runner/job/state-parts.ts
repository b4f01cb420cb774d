import type { Clock } from "../runtime/index.js";
import type { MemoryBudget, SpillFolder } from "../store/index.js";
import type { StageCoders } from "./stage-coders.js";

/** What the state of a worker's tasks is made with, whatever it is of. */
export interface StateParts extends StageCoders {
  readonly clock: Clock;
  /** Of all state of the worker, together. */
  readonly budget: MemoryBudget;
  /** Takes what is above the budget. */
  readonly folder: SpillFolder;
  /** Whether state is to be in snapshots. */
  readonly hasCheckpoints: boolean;
}
