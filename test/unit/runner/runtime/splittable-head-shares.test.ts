// A head whose restrictions are asked for by other tasks. Catches one that is never gone on with, since the head takes it for called already.
import assert from "node:assert/strict";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import type { PeerTasks } from "../../../../runner/runtime/peer-tasks.js";
import { Residuals } from "../../../../runner/runtime/residuals.js";
import { SplittableHead } from "../../../../runner/runtime/splittable-head.js";

describe("SplittableHead with other tasks", () => {
  it("is called again for what it keeps, where it has been called and has dealt out the rest", () => {
    const residuals = new Residuals({ now: () => 0 } as ConstructorParameters<typeof Residuals>[0]);
    const context = residuals.contextWith(() => false);
    const handBack = (value: string): void => context.residual({ value, meta: IMPULSE_META, watermark: 0, delayMs: 0, isTruncated: false });
    let asks = 0;
    const given: unknown[] = [];
    const others = {
      hear: () => {},
      get isAsked() {
        return asks > 0;
      },
      mayGive: () => true,
      give: (residual: { value: unknown }) => {
        asks--;
        residuals.taken(residual as Parameters<Residuals["taken"]>[0]);
        given.push(residual.value);
      },
    } as unknown as PeerTasks; // what a head asks of them
    const delivered: unknown[] = [];
    const head = new SplittableHead(
      residuals,
      (value) => void delivered.push(value),
      () => {},
      others,
    );
    handBack("a");
    handBack("b");
    head.committed();
    head.advanceTime();
    asks = 1;
    head.hear();
    assert.equal(given.length, 1);
    head.poll();
    head.drain(() => false);
    assert.equal(delivered.length, 1);
    handBack("c");
    head.committed();
    assert.ok(head.deadline < Infinity, "nothing wakes the task for what it has still to go on with");
  });
});
