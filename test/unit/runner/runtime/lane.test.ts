import assert from "node:assert/strict";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import { ElementSizer, OutputChannel, type ElementBatch } from "../../../../runner/runtime/index.js";
import { Lane, type LaneOwner } from "../../../../runner/runtime/lane.js";

/** Notes what it is sent; batches as their values, watermarks in brackets. */
class NotingChannel extends OutputChannel {
  readonly sent: unknown[] = [];
  constructor(
    credits: number,
    override readonly isLocal = true,
  ) {
    super(credits);
  }
  protected override handOver(batch: ElementBatch): void {
    this.credits -= batch.bytes;
    this.sent.push(batch.values);
  }
  protected override handOverBarrier(): void {}

  protected override handOverWatermark(watermark: number): void {
    this.sent.push([watermark]);
  }
}

function laneOver(
  channels: OutputChannel[],
  batchBytes: number,
): { lane: Lane; full: () => number; owner: LaneOwner & { holding: boolean; held: number } } {
  let full = 0;
  const owner = {
    holding: false,
    held: 0,
    laneHolds: (bytes: number) => void (owner.held += bytes),
    laneFilled: () => full++,
    laneUnfilled: () => full--,
    roomCame: () => {},
  };
  return { lane: new Lane(channels, new ElementSizer(), batchBytes, owner), full: () => full, owner };
}

const push = (lane: Lane, ...values: string[]): void => values.forEach((value) => lane.push(value, IMPULSE_META));

// A one-character string counts as 25 bytes: one and its overhead.
describe("Lane", () => {
  it("sends a batch once it is large enough, and the rest when flushed", () => {
    const channel = new NotingChannel(1000);
    const { lane } = laneOver([channel], 50);
    push(lane, "a", "b", "c");
    assert.deepEqual(channel.sent, [["a", "b"]]);
    lane.flush();
    assert.deepEqual(channel.sent, [["a", "b"], ["c"]]);
    assert.ok(lane.isEmpty);
  });

  context("when the channel has no room", () => {
    it("is full, keeps what is pushed, and sends it when room comes", () => {
      const channel = new NotingChannel(1);
      const { lane, full } = laneOver([channel], 25);
      push(lane, "a");
      assert.equal(full(), 0);
      push(lane, "b", "c", "d");
      assert.equal(full(), 1);
      assert.deepEqual(channel.sent, [["a"]]);
      channel.addCredits(25);
      assert.equal(full(), 0);
      assert.deepEqual(channel.sent, [["a"], ["b"]]);
      channel.addCredits(50);
      lane.flush();
      assert.deepEqual(channel.sent, [["a"], ["b"], ["c", "d"]]);
    });

    it("sends what was flushed when room comes, though it is small", () => {
      const channel = new NotingChannel(1);
      const { lane, full } = laneOver([channel], 25);
      push(lane, "a");
      const small = laneOver([channel], 1000);
      push(small.lane, "b");
      small.lane.flush();
      assert.equal(full() + small.full(), 1);
      channel.addCredits(25);
      assert.equal(small.full(), 0);
      assert.deepEqual(channel.sent, [["a"], ["b"]]);
    });

    it("sends a watermark behind what was pushed before it, and only the newest", () => {
      const channel = new NotingChannel(1);
      const { lane } = laneOver([channel], 25);
      push(lane, "a", "b");
      lane.sendWatermark(1);
      lane.sendWatermark(2);
      assert.deepEqual(channel.sent, [["a"]]);
      assert.ok(!lane.isEmpty);
      channel.addCredits(25);
      assert.deepEqual(channel.sent, [["a"], ["b"], [2]]);
      assert.ok(lane.isEmpty);
    });
  });

  context("when its owner holds", () => {
    it("sends nothing until it is flushed, and the rest when room comes", () => {
      const channel = new NotingChannel(26);
      const { lane, full, owner } = laneOver([channel], 25);
      owner.holding = true;
      push(lane, "a", "b", "c");
      assert.deepEqual(channel.sent, []);
      assert.equal(owner.held, 75);
      assert.equal(full(), 0);
      owner.holding = false;
      lane.flush();
      assert.equal(full(), 1);
      channel.addCredits(50);
      assert.equal(full(), 0);
      assert.deepEqual(channel.sent, [["a"], ["b"], ["c"]]);
    });

    it("forgets what it has gathered when that is dropped", () => {
      const channel = new NotingChannel(1000);
      const { lane, owner } = laneOver([channel], 50);
      owner.holding = true;
      push(lane, "a", "b", "c");
      owner.holding = false;
      lane.drop();
      assert.ok(lane.isEmpty);
      push(lane, "d");
      lane.flush();
      assert.deepEqual(channel.sent, [["d"]]);
      assert.equal(lane.sent, 1);
    });
  });

  context("with several channels", () => {
    it("sends each batch to the one with most room, of the same process first", () => {
      const remote = new NotingChannel(1000, false);
      const small = new NotingChannel(30);
      const large = new NotingChannel(60);
      const { lane } = laneOver([remote, small, large], 25);
      push(lane, "a", "b", "c", "d", "e", "f");
      assert.deepEqual(large.sent, [["a"], ["b"], ["d"]]);
      assert.deepEqual(small.sent, [["c"], ["e"]]);
      assert.deepEqual(remote.sent, [["f"]]);
    });

    it("deals a small batch that is flushed out to all that have room", () => {
      const channels = [new NotingChannel(100), new NotingChannel(0), new NotingChannel(100, false)];
      const { lane } = laneOver(channels, 1000);
      push(lane, "a", "b", "c");
      lane.flush();
      assert.deepEqual(
        channels.map(({ sent }) => sent),
        [[["a", "c"]], [], [["b"]]],
      );
      assert.equal(lane.sent, 3);
      assert.ok(lane.isEmpty);
    });

    it("sends a watermark to all of them", () => {
      const channels = [new NotingChannel(100), new NotingChannel(100)];
      laneOver(channels, 25).lane.sendWatermark(3);
      assert.deepEqual(
        channels.map(({ sent }) => sent),
        [[[3]], [[3]]],
      );
    });
  });
});
