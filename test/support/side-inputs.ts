// Side inputs of the runner, without a job around them.
import { tmpdir } from "node:os";
import { ValueCoder, type Coder } from "../../portability/coders/index.js";
import type { WindowFn } from "../../portability/windows/index.js";
import { SideInputBuffer, type SideInputParts } from "../../runner/runtime/index.js";
import { MemoryBudget, SpillFolder, SpillingList } from "../../runner/store/index.js";

/** A side input "side" of any JavaScript values, in memory. */
export function sideInputOf(windowFn: WindowFn | undefined, parts: Partial<SideInputParts> = {}): SideInputBuffer {
  const budget = new MemoryBudget(Infinity);
  const folder = new SpillFolder(tmpdir());
  const coder = new ValueCoder() as Coder<unknown>;
  return new SideInputBuffer({
    pcollection: "side",
    windowFn,
    newList: () => new SpillingList({ coder, sizeOf: () => 64, budget, folder }),
    ...parts,
  });
}
