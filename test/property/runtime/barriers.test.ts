// Channels with barriers into an inbox, against one queue for each: catches elements that are taken from behind a barrier too early, frames
// that are forgotten or never taken, credits that are not returned, wake-ups that are missed, and losses that nobody notices.
import assert from "node:assert/strict";
import fc from "fast-check";
import { IMPULSE_META, MAX_TIMESTAMP } from "../../../portability/values/index.js";
import {
  ElementBatch,
  Inbox,
  LocalChannel,
  LostElementsError,
  Outbox,
  singleStream,
  shuffleStream,
} from "../../../runner/runtime/index.js";
import { ElementSizer } from "../../../runner/runtime/index.js";
import { pickBy, seedOf } from "../../../runner/runtime/shuffle.js";

type Step =
  | { readonly kind: "send"; readonly channel: number; readonly count: number }
  | { readonly kind: "watermark" | "barrier" | "end"; readonly channel: number }
  | { readonly kind: "take" | "request" };

const CHANNELS = 3;
const channel = fc.nat(CHANNELS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("send" as const), channel, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("watermark" as const, "barrier" as const), channel }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), channel }) },
  { weight: 5, arbitrary: fc.constantFrom({ kind: "take" as const }, { kind: "take" as const }, { kind: "request" as const }) },
);

/** Sends as a task does: one barrier for each epoch, none behind the end. */
class Sender {
  epoch = 0;
  isOver = false;
  private elements = 0;
  private watermark = 0;

  constructor(
    private readonly channel: LocalChannel,
    private readonly index: number,
  ) {}

  /** Whether it may send the barrier of the epoch under way. */
  follow(step: Step, underWay: number): void {
    if (this.isOver) return;
    if (step.kind === "send") {
      const batch = new ElementBatch();
      for (let i = 0; i < step.count; i++) batch.push({ from: this.index, epoch: this.epoch, number: this.elements++ }, IMPULSE_META);
      batch.bytes = 10;
      this.channel.send(batch);
    } else if (step.kind === "watermark") this.channel.sendWatermark(++this.watermark);
    else if (step.kind === "barrier" && this.epoch < underWay) this.channel.sendBarrier(++this.epoch);
    else if (step.kind === "end") {
      this.isOver = true;
      this.channel.sendWatermark(MAX_TIMESTAMP);
    }
  }
}

interface Element {
  readonly from: number;
  readonly epoch: number;
  readonly number: number;
}

describe("barriers", () => {
  it("divide what an inbox gives into epochs: all of one, then all of the next", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), fc.option(fc.nat(), { nil: undefined }), (steps, seed) => {
        const inbox = new Inbox();
        let woken = false;
        inbox.onArrival = () => (woken = true);
        if (seed !== undefined) inbox.pick = pickBy(seedOf("task", seed));
        const credits = 1000;
        const channels = Array.from({ length: CHANNELS }, () => new LocalChannel(inbox, credits));
        const senders = channels.map((each, i) => new Sender(each, i));
        const next = Array.from({ length: CHANNELS }, () => 0);
        /** The epoch that senders may end, and the one that the inbox has passed. */
        let underWay = 1;
        let passed = 0;
        const take = (): boolean => {
          const hadWaiting = inbox.hasWaiting;
          const batch = inbox.take();
          if (batch === undefined) assert.ok(!hadWaiting || !inbox.hasWaiting || inbox.watermark > 0 || inbox.barrier !== undefined);
          for (const { from, epoch, number } of (batch?.values ?? []) as readonly Element[]) {
            assert.equal(epoch, passed, "of another epoch");
            assert.equal(number, next[from]++, "lost or out of order");
          }
          inbox.release();
          if (inbox.barrier !== undefined) {
            assert.equal(inbox.barrier, passed + 1);
            assert.ok(
              senders.every(({ epoch, isOver }) => isOver || epoch > passed),
              "before all channels were there",
            );
            assert.ok(!inbox.hasWaiting, "there is more of the epoch");
            inbox.passBarrier();
            underWay = ++passed + 1;
          }
          return batch !== undefined || hadWaiting;
        };
        for (const each of steps) {
          const hadWaiting = inbox.hasWaiting;
          woken = false;
          if (each.kind === "take") take();
          else if (each.kind === "request") inbox.requestBarrier(underWay);
          else if ("channel" in each) senders[each.channel].follow(each, underWay);
          if (each.kind !== "take" && inbox.hasWaiting && !hadWaiting) assert.ok(woken, "not woken");
        }
        // All senders come to their end: so does the inbox.
        for (const sender of senders) sender.follow({ kind: "end", channel: 0 }, underWay);
        for (let left = 1000; take() || inbox.hasWaiting; left--) assert.ok(left > 0, "something waits that cannot be taken");
        assert.equal(inbox.watermark, MAX_TIMESTAMP);
        assert.equal(inbox.queuedBytes, 0);
        for (const each of channels) assert.equal(each.room, credits);
        inbox.requestBarrier(underWay);
        assert.equal(inbox.barrier, underWay, "nobody is left who could bring it");
      }),
      { numRuns: 1000 },
    );
  });

  for (const [what, isLost] of Object.entries({
    "a batch": (frame: unknown) => frame === "batch",
    "a barrier": (frame: unknown) => frame === "barrier",
  }))
    it(`tell that ${what} was lost, at the next barrier or the end at the latest`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom("batch", "barrier", "watermark"), { maxLength: 10 }),
          fc.nat(9),
          fc.boolean(),
          (frames, lost, withEpoch) => {
            const inbox = new Inbox();
            const receiver = new LocalChannel(inbox, 1000);
            let at = -1;
            // Loses one frame, if it is of the kind.
            const isGone = (): boolean => at === lost && isLost(frames[at]);
            const lossy = receiver as unknown as {
              handOver(batch: ElementBatch): void;
              handOverBarrier(barrier: { isEnd: boolean }): void;
            };
            const { handOver, handOverBarrier } = lossy;
            lossy.handOver = (batch) => isGone() || handOver.call(receiver, batch);
            lossy.handOverBarrier = (barrier) => (!barrier.isEnd && isGone()) || handOverBarrier.call(receiver, barrier);
            let epoch = 0;
            const takeAll = (): void => {
              while (inbox.hasWaiting) {
                inbox.take();
                inbox.release();
                if (inbox.barrier !== undefined) inbox.passBarrier();
              }
            };
            const run = (): void => {
              for (at = 0; at < frames.length; at++) {
                if (frames[at] === "batch") {
                  const batch = new ElementBatch();
                  batch.push(at, IMPULSE_META);
                  receiver.send(batch);
                } else if (frames[at] === "watermark") receiver.sendWatermark(at);
                else if (withEpoch || at === lost) receiver.sendBarrier(++epoch);
                takeAll();
                if (at === lost && frames[at] === "barrier") break; // nobody sends another one before it has come
              }
              at = -1;
              receiver.sendWatermark(MAX_TIMESTAMP);
              takeAll();
            };
            if (lost < frames.length && isLost(frames[lost])) assert.throws(run, LostElementsError);
            else run();
          },
        ),
      );
    });

  it("leave an outbox behind what was put out before and before what comes later, whatever room there is", () => {
    const put = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), count: fc.integer({ min: 1, max: 8 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("flush" as const, "barrier" as const, "watermark" as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const), inbox: fc.nat(2) }) },
    );
    fc.assert(
      fc.property(
        fc.array(put, { maxLength: 60, size: "max" }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 200 }),
        (steps, width, credits) => {
          const inboxes = Array.from({ length: width }, () => new Inbox());
          const channels = inboxes.map((inbox) => new LocalChannel(inbox, credits));
          const outbox = new Outbox();
          const parts = { channels, sizer: new ElementSizer(), batchBytes: 60, owner: outbox };
          outbox.addStream("p", width === 1 ? singleStream(parts) : shuffleStream(parts));
          const receive = outbox.receiverOf("p");
          let epoch = 0;
          let watermark = 0;
          let pushed = 0;
          const seen = new Set<number>();
          const passed = inboxes.map(() => 0);
          const take = (i: number): void => {
            const inbox = inboxes[i];
            if (inbox === undefined || !inbox.hasWaiting) return;
            for (const { number, of } of (inbox.take()?.values ?? []) as readonly { number: number; of: number }[]) {
              assert.equal(of, passed[i]);
              assert.ok(!seen.has(number));
              seen.add(number);
            }
            inbox.release();
            if (inbox.barrier === undefined) return;
            assert.equal(inbox.barrier, ++passed[i]);
            inbox.passBarrier();
          };
          for (const each of steps)
            if (each.kind === "push") {
              if (outbox.waitsForRoom) continue; // as a task does
              for (let i = 0; i < each.count; i++) receive({ number: pushed++, of: epoch }, IMPULSE_META);
            } else if (each.kind === "flush") outbox.commit();
            else if (each.kind === "watermark") outbox.sendWatermark(++watermark);
            else if (each.kind === "take") take(each.inbox);
            else if (passed.every((each) => each === epoch)) outbox.sendBarrier(++epoch);
          outbox.commit();
          outbox.sendWatermark(MAX_TIMESTAMP);
          for (let left = 1000; inboxes.some(({ hasWaiting }) => hasWaiting); left--) {
            assert.ok(left > 0);
            for (let i = 0; i < width; i++) take(i);
          }
          assert.ok(outbox.isEmpty);
          assert.equal(seen.size, pushed);
          assert.deepEqual(
            passed,
            inboxes.map(() => epoch),
          );
          for (const inbox of inboxes) assert.equal(inbox.watermark, MAX_TIMESTAMP);
        },
      ),
      { numRuns: 500 },
    );
  });
});
