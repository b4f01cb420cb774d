import assert from "node:assert/strict";
import { BarrierAligner } from "../../../../runner/runtime/barrier.js";

describe("BarrierAligner", () => {
  it("is aligned when every channel has brought the barrier or is over, and blocks those that have brought it", () => {
    const aligner = new BarrierAligner(3);
    aligner.reached(0, 1);
    assert.deepEqual([aligner.aligned, aligner.isBlocked(0), aligner.isBlocked(1)], [undefined, true, false]);
    aligner.over(1);
    aligner.reached(2, 1);
    assert.equal(aligner.aligned, 1);
    aligner.pass();
    assert.deepEqual([aligner.aligned, aligner.isBlocked(0), aligner.isBlocked(2)], [undefined, false, false]);
  });

  it("waits in the next epoch only for channels that are not over", () => {
    const aligner = new BarrierAligner(2);
    aligner.over(0);
    aligner.over(0);
    for (const epoch of [1, 2, 3]) {
      aligner.request(epoch);
      assert.equal(aligner.aligned, undefined);
      aligner.reached(1, epoch);
      assert.equal(aligner.aligned, epoch);
      aligner.pass();
    }
    aligner.over(1);
    assert.equal(aligner.aligned, undefined, "nobody has asked");
    aligner.request(4);
    assert.equal(aligner.aligned, 4);
  });

  it("does not count a channel twice that is over behind its barrier", () => {
    const aligner = new BarrierAligner(2);
    aligner.reached(0, 1);
    aligner.pass(); // not aligned: nothing is passed
    aligner.reached(0, 1);
    aligner.over(0);
    assert.equal(aligner.aligned, undefined);
    aligner.over(1);
    assert.equal(aligner.aligned, 1);
  });

  it("is there at once without channels, when it is asked", () => {
    const aligner = new BarrierAligner(0);
    assert.equal(aligner.aligned, undefined);
    aligner.request(7);
    assert.equal(aligner.aligned, 7);
  });

  it("does not hear who asks again, or late, and refuses two epochs at once", () => {
    const aligner = new BarrierAligner(1);
    aligner.request(1);
    aligner.request(1);
    aligner.reached(0, 1);
    aligner.pass();
    aligner.request(1);
    aligner.reached(0, 1);
    assert.deepEqual([aligner.aligned, aligner.isBlocked(0)], [undefined, false]);
    aligner.request(2);
    assert.throws(() => aligner.request(3), /epoch 3 begins before epoch 2/);
  });
});
