// What watermarks promise, for any order of what channels report. Catches a minimum that is not recomputed, one that moves
// back, and data overtaken by the watermark behind it.
import assert from "node:assert/strict";
import fc from "fast-check";
import { IMPULSE_META, MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../../portability/values/index.js";
import { ElementSizer, Inbox, LocalChannel, type ElementBatch } from "../../../runner/runtime/index.js";
import { Lane } from "../../../runner/runtime/lane.js";
import { IDLE, WatermarkCoalescer } from "../../../runner/runtime/watermark-coalescer.js";

const instant = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(MIN_TIMESTAMP, MAX_TIMESTAMP));

describe("WatermarkCoalescer", () => {
  it("is the least of the channels' greatest watermarks and never moves back", () => {
    const reports = fc
      .integer({ min: 1, max: 5 })
      .chain((channels) => fc.tuple(fc.constant(channels), fc.array(fc.tuple(fc.nat(channels - 1), instant), { maxLength: 60 })));
    fc.assert(
      fc.property(reports, ([channels, observed]) => {
        const coalescer = new WatermarkCoalescer(channels);
        const greatest = new Array<number>(channels).fill(MIN_TIMESTAMP);
        for (const [channel, watermark] of observed) {
          const before = coalescer.watermark;
          const moved = coalescer.observe(channel, watermark);
          greatest[channel] = Math.max(greatest[channel], watermark);
          assert.equal(coalescer.watermark, Math.min(...greatest));
          assert.ok(coalescer.watermark >= before);
          assert.equal(moved, coalescer.watermark > before);
        }
      }),
    );
  });
});

// With idle channels: a plain model that is computed anew from all that was said.
describe("WatermarkCoalescer with idle channels", () => {
  type Report = "idle" | "element" | number;
  const report: fc.Arbitrary<Report> = fc.oneof(instant, fc.constantFrom("idle" as const, "element" as const));
  const histories = fc
    .integer({ min: 1, max: 4 })
    .chain((channels) => fc.tuple(fc.constant(channels), fc.array(fc.tuple(fc.nat(channels - 1), report), { maxLength: 60 })));
  const tell = (coalescer: WatermarkCoalescer, channel: number, said: Report): boolean => {
    if (said !== "element") return coalescer.observe(channel, said === "idle" ? IDLE : said);
    coalescer.activate(channel);
    return false;
  };

  it("is the least of the active channels, or the greatest of the idle ones where no other is open, and never moves back", () => {
    fc.assert(
      fc.property(histories, ([count, history]) => {
        const coalescer = new WatermarkCoalescer(count);
        const channels = Array.from({ length: count }, () => ({ at: MIN_TIMESTAMP, idle: false }));
        let expected = MIN_TIMESTAMP;
        for (const [channel, said] of history) {
          const moved = tell(coalescer, channel, said);
          const each = channels[channel];
          if (said === "idle") each.idle = each.at < MAX_TIMESTAMP;
          else each.idle = false;
          if (typeof said === "number") each.at = Math.max(each.at, said);
          const open = channels.filter(({ at }) => at < MAX_TIMESTAMP);
          const active = open.filter(({ idle }) => !idle).map(({ at }) => at);
          const resting = open.filter(({ idle }) => idle).map(({ at }) => at);
          const now = active.length > 0 ? Math.min(...active) : resting.length > 0 ? Math.max(...resting) : MAX_TIMESTAMP;
          const before = expected;
          expected = Math.max(expected, now);
          assert.equal(coalescer.watermark, expected);
          assert.equal(moved, expected > before);
          assert.equal(coalescer.isIdle, resting.length > 0 && active.length === 0);
        }
      }),
    );
  });

  it("ends only when every channel has ended, however idle", () => {
    fc.assert(
      fc.property(histories, ([count, history]) => {
        const coalescer = new WatermarkCoalescer(count);
        const ended = new Set<number>();
        for (const [channel, said] of history) {
          tell(coalescer, channel, said);
          if (said === MAX_TIMESTAMP) ended.add(channel);
          assert.equal(coalescer.watermark === MAX_TIMESTAMP, ended.size === count);
        }
      }),
    );
  });
});

describe("a channel", () => {
  // A push is a number, a watermark is one in brackets; the receiver takes when it is told to.
  const step = fc.oneof(
    fc.record({ push: fc.string({ maxLength: 40 }) }),
    fc.record({ watermark: fc.integer({ min: 0, max: 1000 }) }),
    fc.constant({ idle: true } as const),
    fc.constant({ take: true } as const),
    fc.constant({ flush: true } as const),
  );

  it("loses, doubles and reorders nothing, and no watermark overtakes what was pushed before it", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        (steps, credits, size) => {
          const inbox = new Inbox();
          const owner = { holding: false, laneHolds: () => {}, laneFilled: () => {}, laneUnfilled: () => {}, roomCame: () => {} };
          const lane = new Lane([new LocalChannel(inbox, credits)], new ElementSizer(), size, owner);
          const pushed: string[] = [];
          const taken: unknown[] = [];
          /** Elements that had been pushed when a watermark was sent. */
          const before = new Map<number, number>();
          let sent = MIN_TIMESTAMP;
          let seen = MIN_TIMESTAMP;
          const take = (): void => {
            const batch: ElementBatch | undefined = inbox.take();
            if (batch !== undefined) taken.push(...batch.values);
            inbox.release();
            assert.ok(inbox.watermark >= seen);
            if (inbox.watermark > seen) assert.ok(taken.length >= before.get(inbox.watermark)!);
            seen = inbox.watermark;
          };
          for (const each of steps) {
            if ("push" in each) {
              pushed.push(each.push);
              lane.push(each.push, IMPULSE_META);
            } else if ("watermark" in each) {
              if (each.watermark <= sent) continue;
              sent = each.watermark;
              before.set(sent, pushed.length);
              lane.sendWatermark(sent);
            } else if ("idle" in each) lane.sendWatermark(IDLE);
            else if ("take" in each) take();
            else lane.flush();
          }
          lane.flush();
          while (inbox.hasWaiting) take();
          assert.deepEqual(taken, pushed);
          assert.equal(seen, sent);
          assert.ok(lane.isEmpty);
        },
      ),
    );
  });
});
