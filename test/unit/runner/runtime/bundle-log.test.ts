// What a bundle was given, as it is to be given again. Catches elements that are lost or doubled where a batch is taken in parts, and
// batches that count before, or more often than, they are kept because of the bundle.
import assert from "node:assert/strict";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import { BundleLog } from "../../../../runner/runtime/bundle-log.js";
import { ElementBatch } from "../../../../runner/runtime/index.js";

function batchOf(...values: string[]): ElementBatch {
  const batch = new ElementBatch();
  for (const value of values) batch.push(value, IMPULSE_META);
  batch.bytes = 100;
  return batch;
}

describe("BundleLog", () => {
  it("gives back batches that were taken in parts, in order", () => {
    const log = new BundleLog();
    const first = batchOf("a", "b", "c");
    log.addRange(first, 1, 2);
    log.addRange(first, 2, 2);
    log.addRange(first, 2, 3);
    log.addRange(batchOf("d", "e"), 0, 1);
    assert.deepEqual(log.take().values, ["b", "c", "d"]);
    assert.equal(log.take().length, 0);
  });

  it("counts the bytes of a batch once, when its last element was taken", () => {
    const log = new BundleLog();
    const batch = batchOf("a", "b");
    log.addRange(batch, 0, 1);
    assert.equal(log.bytes, 0);
    log.addRange(batch, 1, 2);
    assert.equal(log.bytes, 100);
    log.clear();
    assert.equal(log.bytes, 0);
  });

  it("gives back what came too late before anything else", () => {
    const log = new BundleLog();
    log.add("group", IMPULSE_META);
    log.addLate("late", IMPULSE_META);
    assert.equal(log.late, 1);
    assert.deepEqual(log.take().values, ["late", "group"]);
    assert.equal(log.late, 0);
  });

  it("gives back what can be had again, where it was emitted a part at a time", () => {
    const log = new BundleLog();
    const groups = { valueAt: (number: number) => `group ${number}`, metaAt: () => IMPULSE_META };
    for (const number of [3, 4, 6]) log.addRepeatable(groups, number);
    log.addRepeatable({ ...groups, valueAt: () => "of another window" }, 7);
    log.addLate("late", IMPULSE_META);
    assert.deepEqual(log.take().values, ["late", "group 3", "group 4", "group 6", "of another window"]);
    assert.equal(log.take().length, 0);
  });
});
