// That a channel is idle, on its way from one task to another. Catches an idle mark that takes the place of a watermark, one that
// stays, and bytes that are no watermark.
import assert from "node:assert/strict";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import { ElementBatch, ElementSizer, Inbox, LocalChannel, Outbox, singleStream } from "../../../../runner/runtime/index.js";
import { Lane } from "../../../../runner/runtime/lane.js";
import { IDLE } from "../../../../runner/runtime/watermark-coalescer.js";

const batchOf = (value: unknown): ElementBatch => {
  const batch = new ElementBatch();
  batch.push(value, IMPULSE_META);
  return batch;
};
const takeAll = (inbox: Inbox): unknown[] => {
  const taken: unknown[] = [];
  while (inbox.hasWaiting) {
    taken.push(...(inbox.take()?.values ?? []));
    inbox.release();
  }
  return taken;
};

describe("Inbox with idle channels", () => {
  it("leaves an idle channel out, and hears the watermark before it", () => {
    const inbox = new Inbox();
    const [quiet, other] = [inbox.addPort(() => {}), inbox.addPort(() => {})];
    inbox.receiveWatermark(quiet, 5);
    inbox.receiveWatermark(quiet, IDLE);
    inbox.receiveWatermark(other, IDLE);
    takeAll(inbox);
    assert.equal(inbox.watermark, 5);
    assert.ok(inbox.isIdle);
    inbox.receiveWatermark(other, 9);
    takeAll(inbox);
    assert.equal(inbox.watermark, 9);
    assert.ok(!inbox.isIdle);
  });

  it("waits for a channel again once it has an element, and does not go back", () => {
    const inbox = new Inbox();
    const [quiet, other] = [inbox.addPort(() => {}), inbox.addPort(() => {})];
    inbox.receiveWatermark(quiet, IDLE);
    inbox.receiveWatermark(other, 9);
    takeAll(inbox);
    inbox.receive(quiet, batchOf("late"));
    assert.deepEqual(takeAll(inbox), ["late"]);
    inbox.receiveWatermark(other, 20);
    inbox.receiveWatermark(quiet, 3);
    takeAll(inbox);
    assert.equal(inbox.watermark, 9);
    inbox.receiveWatermark(quiet, 12);
    takeAll(inbox);
    assert.equal(inbox.watermark, 12);
  });
});

describe("Lane", () => {
  it("keeps the watermark that waits when its task becomes idle, and drops the mark when another follows", () => {
    const inbox = new Inbox();
    const owner = { holding: false, laneHolds: () => {}, laneFilled: () => {}, laneUnfilled: () => {}, roomCame: () => {} };
    const channel = new LocalChannel(inbox, 1);
    const lane = new Lane([channel], new ElementSizer(), 1000, owner);
    for (const value of ["a", "b"]) {
      lane.push(value, IMPULSE_META);
      lane.flush(); // the second one waits for room
    }
    lane.sendWatermark(5);
    lane.sendWatermark(IDLE);
    assert.ok(!lane.isEmpty);
    takeAll(inbox);
    takeAll(inbox);
    assert.ok(lane.isEmpty);
    assert.equal(inbox.watermark, 5);
    assert.ok(inbox.isIdle);
    lane.sendWatermark(6);
    takeAll(inbox);
    assert.ok(!inbox.isIdle);
  });
});

describe("Outbox", () => {
  it("says that its task is active again although the watermark is the same", () => {
    const outbox = new Outbox();
    const inbox = new Inbox();
    outbox.addStream(
      "out",
      singleStream({ channels: [new LocalChannel(inbox, 1000)], sizer: new ElementSizer(), batchBytes: 1000, owner: outbox }),
    );
    outbox.sendWatermark(7);
    outbox.sendIdle();
    takeAll(inbox);
    assert.ok(inbox.isIdle);
    outbox.sendWatermark(7);
    takeAll(inbox);
    assert.ok(!inbox.isIdle);
    assert.equal(inbox.watermark, 7);
    outbox.sendIdle();
    outbox.sendWatermark(3);
    takeAll(inbox);
    assert.equal(inbox.watermark, 7);
  });
});
