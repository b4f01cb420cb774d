// Stable input for a stage that begins with restrictions. Catches residuals that are lost, or kept, since nobody is told how their bundle has ended.
import assert from "node:assert/strict";
import { globalWindowCoder, utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import { IMPULSE_META, type Window } from "../../../../portability/values/index.js";
import { Residuals } from "../../../../runner/runtime/residuals.js";
import { SplittableHead, StableInputHead, systemClock } from "../../../../runner/runtime/index.js";

describe("StableInputHead", () => {
  it("has what a bundle hands back gone on with when it is committed, and forgotten when it fails", () => {
    const residuals = new Residuals(systemClock);
    const context = residuals.contextWith(() => false);
    const handBack = (value: string): void => context.residual({ value, meta: IMPULSE_META, watermark: 0, delayMs: 0, isTruncated: false });
    const coders = { element: utf8Coder as Coder<unknown>, window: globalWindowCoder as Coder<Window> };
    const head = new StableInputHead(
      "task",
      () => {},
      coders,
      (inner) => new SplittableHead(residuals, inner, () => {}),
    );
    handBack("lost with its bundle");
    head.rolledBack();
    head.committed();
    assert.equal(residuals.size, 0);
    handBack("left over");
    head.committed();
    assert.deepEqual(
      residuals.due().map(({ value }) => value),
      ["left over"],
    );
  });
});
