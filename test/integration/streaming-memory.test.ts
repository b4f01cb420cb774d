// Two hours of a stream, on a clock of its own, through groupings: keys come and go, some elements are late. Catches state that outlives its
// window, queues that keep what nobody waits for, and anything else that grows with the length of a stream.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { varintCoder } from "../../portability/coders/index.js";
import {
  ElementMeta,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  type KV,
  type Receiver,
  type Timestamp,
} from "../../portability/values/index.js";
import {
  DEFAULT_TRIGGER,
  FixedWindows,
  mergeOverlapping,
  Sessions,
  SlidingWindows,
  type Trigger,
  type WindowFn,
} from "../../portability/windows/index.js";
import { KeyedHead, KeyedStore } from "../../runner/keyed/index.js";
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

/** What takes in elements and is told of time, as a task does it. */
interface Grouping {
  readonly process: Receiver;
  advance(watermark: Timestamp): void;
  readonly deadline: number;
  advanceTime(now: number): void;
  drain(pause: () => boolean): boolean;
  hold(): Timestamp;
  /** Keys and windows that there are. */
  readonly size: number;
  /** Entries of its queues. */
  readonly queued: number;
}

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

/** State of every kind, and timers that fire, are put off, and called off; with and without calls when a window expires. */
const withState =
  (expirationFamily: string | undefined) =>
  (emit: () => void, now: () => number): Grouping => {
    const keys = keySpaceOf(varintCoder);
    const store = new KeyedStore(
      {
        keys,
        cells: [
          { kind: "value", id: "sum" },
          { kind: "bag", id: "all" },
          { kind: "multimap", id: "map", mapKeys: keys },
          { kind: "ordered-list", id: "list" },
        ],
        families: [
          { id: "end", domain: "event" },
          { id: "again", domain: "event" },
          { id: "idle", domain: "processing" },
        ],
        expirationFamily,
        allowedLatenessMs: LATENESS,
      },
      now,
    );
    const [sum, all, map, list] = [store.value("sum"), store.bag("all"), store.multimap("map"), store.orderedList("list")];
    const [end, again, idle] = ["end", "again", "idle"].map((id) => store.timers(id));
    const receive: Receiver = (element, { timestamp, windows: [window] }) => {
      const { value: n } = element as KV<number, number>;
      sum.write(((sum.read() as number | undefined) ?? 0) + n);
      all.add(n);
      map.add(n % 5, n);
      list.add(timestamp, n);
      end.set("", window.maxTimestamp, window.maxTimestamp, true);
      again.set(`${n % 3}`, Math.min(timestamp + 20 * SECOND, window.maxTimestamp), timestamp, true);
      if (n % 4 === 0) again.clear("1");
      idle.set("", now() + 30 * SECOND, timestamp, true);
    };
    const head = new KeyedHead(store, receive, {
      blocked: () => undefined,
      fire({ family }) {
        emit();
        if (family === "idle") all.clear();
      },
    });
    return {
      process(element, meta) {
        head.process(element, meta);
        head.committed();
      },
      drain(pause) {
        const done = head.drain(pause);
        head.committed();
        return done;
      },
      advance: (watermark) => head.advance(watermark),
      get deadline() {
        return head.deadline;
      },
      advanceTime: (time) => head.advanceTime(time),
      hold: () => head.hold(),
      get size() {
        return store.size.records;
      },
      get queued() {
        return store.size.windows + store.pendingTimers.size;
      },
    };
  };

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
  ["fixed windows with state and timers", new FixedWindows(MINUTE), withState(undefined)],
  ["sliding windows with state and timers, whose expiration is told", new SlidingWindows(2 * MINUTE, MINUTE), withState("expired")],
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
      assert.equal(grouping.size, 0);
      assert.ok(grouping.hold() >= MAX_TIMESTAMP);
    });
});
