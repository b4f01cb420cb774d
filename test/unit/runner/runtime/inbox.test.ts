import assert from "node:assert/strict";
import { IMPULSE_META, MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../../../portability/values/index.js";
import { ElementBatch, Inbox } from "../../../../runner/runtime/index.js";

function batchOf(value: unknown, bytes = 10): ElementBatch {
  const batch = new ElementBatch();
  batch.push(value, IMPULSE_META);
  batch.bytes = bytes;
  return batch;
}

/** Takes everything: values of batches, and watermarks in brackets as they move. */
function takeAll(inbox: Inbox): unknown[] {
  const taken: unknown[] = [];
  let watermark = inbox.watermark;
  while (inbox.hasWaiting) {
    const batch = inbox.take();
    if (batch !== undefined) taken.push(batch.values[0]);
    if (inbox.watermark !== watermark) taken.push([(watermark = inbox.watermark)]);
    inbox.release();
  }
  return taken;
}

describe("Inbox", () => {
  it("lets a watermark take effect when all that was sent before it has been taken", () => {
    const inbox = new Inbox();
    const port = inbox.addPort(() => {});
    inbox.receive(port, batchOf("a"));
    inbox.receiveWatermark(port, 5);
    inbox.receive(port, batchOf("b"));
    inbox.receiveWatermark(port, 7);
    assert.equal(inbox.watermark, MIN_TIMESTAMP);
    assert.deepEqual(takeAll(inbox), ["a", [5], "b", [7]]);
  });

  it("tells as long as something of what feeds a task is still to be taken", () => {
    const inbox = new Inbox();
    const feed = inbox.addFeed();
    inbox.receive(feed, batchOf("impulse"));
    inbox.receiveWatermark(feed, MAX_TIMESTAMP);
    assert.ok(inbox.hasFeed);
    inbox.take();
    inbox.release();
    assert.ok(inbox.hasFeed);
    inbox.take();
    assert.deepEqual([inbox.watermark, inbox.hasFeed], [MAX_TIMESTAMP, false]);
  });

  it("takes from its channels in turn, and has the least watermark of them", () => {
    const inbox = new Inbox();
    const [first, second] = [inbox.addPort(() => {}), inbox.addPort(() => {})];
    for (const value of ["a1", "a2", "a3"]) inbox.receive(first, batchOf(value));
    inbox.receiveWatermark(first, 9);
    inbox.receive(second, batchOf("b1"));
    inbox.receiveWatermark(second, 4);
    assert.deepEqual(takeAll(inbox), ["a1", "b1", "a2", "a3", [4]]);
  });

  it("keeps only the newest of watermarks that nothing lies between", () => {
    const inbox = new Inbox();
    const port = inbox.addPort(() => {});
    for (let watermark = 0; watermark < 100; watermark++) inbox.receiveWatermark(port, watermark);
    assert.deepEqual(takeAll(inbox), [[99]]);
  });

  it("returns credits when a batch is released, not before", () => {
    const returned: number[] = [];
    const inbox = new Inbox();
    const port = inbox.addPort((bytes) => returned.push(bytes));
    inbox.receive(port, batchOf("a", 7));
    inbox.take();
    assert.deepEqual([returned, inbox.queuedBytes], [[], 7]);
    inbox.release();
    assert.deepEqual([returned, inbox.queuedBytes], [[7], 0]);
  });

  it("tells of an arrival only when nothing was waiting", () => {
    let told = 0;
    const inbox = new Inbox();
    inbox.onArrival = () => told++;
    const port = inbox.addPort(() => {});
    inbox.receive(port, batchOf("a"));
    inbox.receive(port, batchOf("b"));
    assert.equal(told, 1);
  });

  it("is at the end of time without channels", () => {
    assert.equal(new Inbox().watermark, MAX_TIMESTAMP);
  });

  it("keeps the order of many frames", () => {
    const inbox = new Inbox();
    const port = inbox.addPort(() => {});
    const values = Array.from({ length: 5000 }, (_, i) => i);
    for (const value of values) inbox.receive(port, batchOf(value));
    assert.deepEqual(takeAll(inbox), values);
  });
});
