// Two hours of a stream, on a clock of its own, through groupings: keys come and go, some elements are late. Catches state that outlives its
// window, queues that keep what nobody waits for, and anything else that grows with the length of a stream.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { varintCoder } from "../../portability/coders/index.js";
import { ElementMeta, kv, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_FIRING, type Timestamp } from "../../portability/values/index.js";
import {
  DEFAULT_TRIGGER,
  FixedWindows,
  mergeOverlapping,
  Sessions,
  SlidingWindows,
  type Trigger,
  type WindowFn,
} from "../../portability/windows/index.js";
import { HeapStore, KeyGroups, keySpaceOf } from "../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupByKey, GroupIntoPanes, type GroupingStrategy } from "../../runner/windows/index.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const LENGTH = 120 * MINUTE;
const WARM_UP = 20 * MINUTE;
/** Milliseconds between elements. */
const STEP = 25;
const LATENESS = 2 * MINUTE;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const heapBytes = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

type Grouping = GroupByKey | GroupIntoPanes;

/** What there is of a grouping at most between two instants. */
interface Peak {
  size: number;
  queued: number;
  /** How far the hold has been behind the watermark. */
  heldMs: number;
}

function inPanes(windowFn: WindowFn, more: Partial<GroupingStrategy>): (emit: () => void, now: () => number) => Grouping {
  const strategy: GroupingStrategy = { ...DEFAULT_GROUPING, merge: windowFn.merging ? mergeOverlapping : undefined, ...more };
  return (emit, now) => new GroupIntoPanes(strategy, keySpaceOf(varintCoder), emit, now);
}

function whole(emit: () => void): Grouping {
  const keys = keySpaceOf(varintCoder);
  return new GroupByKey("earliest", keys, new HeapStore(new KeyGroups(16, keys)), emit);
}

/** The stream, told to the grouping as a task would: elements, watermarks, and time, each when its turn has come. */
function* stream(grouping: Grouping, windowFn: WindowFn, clock: { now: number }): Generator<Timestamp> {
  let watermark = MIN_TIMESTAMP;
  for (let at = 0; at < LENGTH; at += STEP) {
    clock.now = at;
    const n = at / STEP;
    // A key is there for a minute and is not seen again; one element in fifty is late, and one in five hundred too late for anything.
    const timestamp = Math.max(0, n % 500 === 0 ? at - 10 * MINUTE : n % 50 === 0 ? at - 90 * SECOND : at);
    const key = Math.floor(at / MINUTE) * 100 + (n % 7);
    grouping.process(kv(key, n), new ElementMeta(timestamp, windowFn.assign(timestamp), NO_FIRING));
    if (at % SECOND === 0) grouping.advance((watermark = at - 5 * SECOND));
    if (grouping.deadline <= at) grouping.advanceTime(at);
    grouping.drain(() => false);
    yield watermark;
  }
}

const early: Trigger = { kind: "after-processing-time", steps: [{ delayMs: 10 * SECOND }] };
const cases: readonly (readonly [name: string, windowFn: WindowFn, make: (emit: () => void, now: () => number) => Grouping])[] = [
  ["fixed windows with one pane", new FixedWindows(MINUTE), whole],
  ["sliding windows with one pane", new SlidingWindows(5 * MINUTE, MINUTE), whole],
  [
    "fixed windows with early and late panes",
    new FixedWindows(MINUTE),
    inPanes(new FixedWindows(MINUTE), {
      trigger: { kind: "after-end-of-window", early, late: { kind: "element-count", count: 1 } },
      allowedLatenessMs: LATENESS,
      timestampCombiner: "earliest",
      accumulating: true,
    }),
  ],
  [
    "sliding windows that are closed before they end",
    new SlidingWindows(5 * MINUTE, MINUTE),
    inPanes(new SlidingWindows(5 * MINUTE, MINUTE), { trigger: { kind: "element-count", count: 3 }, timestampCombiner: "latest" }),
  ],
  [
    "sessions",
    new Sessions(20 * SECOND),
    inPanes(new Sessions(20 * SECOND), { trigger: DEFAULT_TRIGGER, allowedLatenessMs: LATENESS, timestampCombiner: "earliest" }),
  ],
  ["sessions with early panes", new Sessions(20 * SECOND), inPanes(new Sessions(20 * SECOND), { trigger: { kind: "repeat", of: early } })],
];

describe("two hours of a stream", () => {
  for (const [name, windowFn, make] of cases)
    it(`take no more memory than twenty minutes of it, in ${name}`, () => {
      const clock = { now: 0 };
      let panes = 0;
      const grouping = make(
        () => panes++,
        () => clock.now,
      );
      const peaks: readonly Peak[] = [
        { size: 0, queued: 0, heldMs: 0 },
        { size: 0, queued: 0, heldMs: 0 },
      ];
      let heapBefore = 0;
      for (const watermark of stream(grouping, windowFn, clock)) {
        if (clock.now === WARM_UP) heapBefore = heapBytes();
        if (clock.now % SECOND > 0) continue;
        const peak = peaks[clock.now < WARM_UP ? 0 : 1];
        peak.size = Math.max(peak.size, grouping.size);
        peak.queued = Math.max(peak.queued, grouping.queued);
        if (clock.now > 0) peak.heldMs = Math.max(peak.heldMs, watermark - grouping.hold());
      }
      const [first, rest] = peaks;
      assert.ok(first.size > 0 && first.queued > 0 && panes > 120, "nothing has happened");
      // A little more, since not all minutes are alike.
      for (const what of ["size", "queued", "heldMs"] as const)
        assert.ok(rest[what] <= first[what] * 1.2, `${what}: at most ${first[what]} at first, then up to ${rest[what]}`);
      const grown = heapBytes() - heapBefore;
      assert.ok(grown < 1 << 20, `the heap has grown by ${grown} bytes`);
      grouping.advance(MAX_TIMESTAMP);
      grouping.drain(() => false);
      assert.deepEqual([grouping.size, grouping.hold()], [0, MAX_TIMESTAMP]);
    });
});
