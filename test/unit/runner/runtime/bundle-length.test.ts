import assert from "node:assert/strict";
import { BundleLength } from "../../../../runner/runtime/bundle-length.js";

describe("BundleLength", () => {
  it("comes to what takes the time, from either side, however fast the stage is", () => {
    for (const perMs of [0.1, 7, 300, 1e5]) {
      const length = new BundleLength(16_384, 1 << 18, 500);
      for (let i = 0; i < 12; i++) length.ended(length.elements, length.elements / perMs);
      const fitting = Math.min(1 << 18, Math.max(256, 500 * perMs));
      assert.ok(Math.abs(length.elements / fitting - 1) < 0.01, `${length.elements} instead of ${fitting}`);
    }
  });

  it("does not grow behind bundles that ended because nothing was left, and shrinks behind any that took too long", () => {
    const length = new BundleLength(1000, 1 << 18, 500);
    length.ended(999, 1);
    assert.equal(length.elements, 1000);
    length.ended(10, 1000);
    assert.equal(length.elements, 500);
  });
});
