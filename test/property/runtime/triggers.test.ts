// Grouping under random triggers, by random scripts of elements, watermarks and clocks, against a model that is slow and obvious
// (trigger-model.ts), and against laws that need no model. Catches triggers that fire at other moments, forget or keep state across
// firings and merges, panes that are numbered or timed wrongly, lost and doubled elements, timers that are stale, and holds that are
// too late.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import {
  ElementMeta,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  PaneTiming,
  type KV,
  type Window,
} from "../../../portability/values/index.js";
import {
  FixedWindows,
  globalWindows,
  mergeOverlapping,
  Sessions,
  SlidingWindows,
  type WindowFn,
} from "../../../portability/windows/index.js";
import { keySpaceOf } from "../../../runner/store/index.js";
import { GroupIntoPanes, type GroupingStrategy } from "../../../runner/windows/index.js";
import { triggerOf } from "../../support/any-trigger.js";
import { TriggerModel, type ModelPane } from "../../support/trigger-model.js";

type Event =
  | { readonly kind: "element"; readonly key: string; readonly timestamp: number }
  | { readonly kind: "watermark" | "clock"; readonly by: number };
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("element" as const),
      key: fc.constantFrom("a", "b"),
      timestamp: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("watermark" as const), by: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clock" as const), by: fc.integer({ min: 1, max: 12 }) }) },
);
const script = fc.array(event, { maxLength: 40, size: "max" });

interface Case {
  readonly windowFn: WindowFn;
  /** Added to the timestamps that the combiner sees, up to the end of the window. */
  readonly shiftMs: number;
  readonly strategy: Omit<GroupingStrategy, "merge" | "outputTime">;
}
const casesOf = (...windowFns: readonly WindowFn[]): fc.Arbitrary<Case> =>
  fc.record({
    windowFn: fc.constantFrom(...windowFns),
    shiftMs: fc.constantFrom(0, 3),
    strategy: fc.record({
      trigger: fc.oneof(triggerOf(1), triggerOf(2), triggerOf(3)),
      timestampCombiner: fc.constantFrom("end-of-window" as const, "earliest" as const, "latest" as const),
      allowedLatenessMs: fc.constantFrom(0, 5, 30),
      accumulating: fc.boolean(),
      emptyOnTimePane: fc.boolean(),
      emptyFinalPane: fc.boolean(),
    }),
  });

const strategyOf = ({ windowFn, shiftMs, strategy }: Case): GroupingStrategy => ({
  ...strategy,
  outputTime: shiftMs === 0 ? undefined : (timestamp, { maxTimestamp }) => Math.min(timestamp + shiftMs, maxTimestamp),
  merge: windowFn.merging ? mergeOverlapping : undefined,
});

/** An element that was not taken into a window of it. */
interface Dropped {
  readonly value: number;
  readonly window: string;
}

/** The grouping under test, driven as the runtime does it; it keeps the laws that hold at each step. */
class Bench {
  readonly panes: ModelPane[] = [];
  readonly dropped: Dropped[] = [];
  readonly grouping: GroupIntoPanes;
  watermark = MIN_TIMESTAMP;
  now = 0;
  private outputWatermark = MIN_TIMESTAMP;
  private elements = 0;
  private emitted = 0;
  /** Elements that came when the watermark was not ahead of them, and have not been in a pane, by {@link inWindow}. */
  private readonly inTime = new Set<string>();

  constructor(private readonly of: Case) {
    this.grouping = new GroupIntoPanes(
      strategyOf(of),
      keySpaceOf(new ValueCoder()),
      (value, meta) => this.emit(value as KV<string, number[]>, meta),
      () => this.now,
      (value, { windows: [window] }) => this.dropped.push({ value: (value as KV<string, number>).value, window: String(window) }),
    );
  }

  /** Each element, moved watermark or clock, as the model takes it; then all input is over. */
  run(events: readonly Event[], model?: TriggerModel): void {
    for (const each of [...events, { kind: "watermark" as const, by: Infinity }]) {
      if (each.kind === "element") this.element(each.key, each.timestamp, model);
      else if (each.kind === "clock") this.moveClock(this.now + each.by, model);
      else this.moveWatermark(this.watermark === MIN_TIMESTAMP ? each.by : this.watermark + each.by, model);
    }
  }

  private element(key: string, timestamp: number, model: TriggerModel | undefined): void {
    const value = this.elements++;
    const windows = this.of.windowFn.assign(timestamp);
    if (timestamp >= this.watermark) for (const window of windows) this.inTime.add(this.inWindow(value, window));
    this.grouping.process(kv(key, value), new ElementMeta(timestamp, windows, NO_FIRING));
    this.drain(model?.element(key, value, timestamp, windows));
  }

  private moveWatermark(to: number, model: TriggerModel | undefined): void {
    this.watermark = Math.min(to, MAX_TIMESTAMP);
    this.grouping.advance(this.watermark);
    this.drain(model?.moveWatermark(this.watermark));
  }

  private moveClock(to: number, model: TriggerModel | undefined): void {
    this.now = to;
    if (this.grouping.deadline <= to) this.grouping.advanceTime(to);
    this.drain(model?.moveClock(to));
  }

  private drain(expected: readonly ModelPane[] | undefined): void {
    assert.ok(this.grouping.drain(() => false));
    const watermark = Math.min(this.watermark, this.grouping.hold());
    assert.ok(watermark >= this.outputWatermark, "the output watermark goes back");
    assert.ok(this.grouping.deadline > this.now, "it waits for a time that has come");
    this.outputWatermark = watermark;
    if (expected !== undefined) assert.deepEqual(this.panes.slice(this.emitted).map(lineOf).sort(), expected.map(lineOf).sort());
    this.emitted = this.panes.length;
  }

  private emit({ key, value: values }: KV<string, number[]>, { timestamp, windows, pane }: ElementMeta): void {
    assert.equal(windows.length, 1);
    if (values.filter((value) => this.inTime.delete(this.inWindow(value, windows[0]))).length > 0)
      assert.ok(timestamp >= this.outputWatermark, `a pane at ${timestamp} is behind the output watermark ${this.outputWatermark}`);
    this.panes.push({ key, values, window: windows[0], timestamp, pane });
  }

  /** Where windows merge, an element has but one, though that goes by many names. */
  private inWindow(value: number, window: Window): string {
    return this.of.windowFn.merging ? String(value) : `${value} ${String(window)}`;
  }
}

const lineOf = ({ key, values, window, timestamp, pane }: ModelPane): string =>
  `${key} ${String(window)} ${[...values].sort((a, b) => a - b).join()} @${timestamp} ${JSON.stringify(pane)}`;

describe("GroupIntoPanes, under any trigger", () => {
  for (const [windows, cases] of [
    ["that do not merge", casesOf(globalWindows, new FixedWindows(10), new SlidingWindows(12, 5))],
    ["that merge", casesOf(new Sessions(5))],
  ] as const) {
    context(`in windows ${windows}`, () => {
      const check = (numRuns: number, law: (of: Case, events: readonly Event[]) => void): void =>
        fc.assert(fc.property(cases, script, law), { numRuns });
      const run = (of: Case, events: readonly Event[]): Bench => {
        const bench = new Bench(of);
        bench.run(events);
        return bench;
      };

      it("emits and drops at each step what a model does, and keeps nothing in the end", () =>
        check(6000, (of, events) => {
          const model = new TriggerModel(strategyOf(of));
          const bench = new Bench(of);
          bench.run(events, model);
          const { droppedLate, droppedClosed, size } = bench.grouping;
          assert.deepEqual(
            { droppedLate, droppedClosed, size },
            { droppedLate: model.droppedLate, droppedClosed: model.droppedClosed, size: 0 },
          );
          assert.equal(bench.dropped.length, droppedLate + droppedClosed);
        }));

      it("puts each element of a window into exactly one pane, or counts it as dropped", () =>
        check(2000, (of, events) => {
          const { panes, dropped } = run({ ...of, strategy: { ...of.strategy, accumulating: false } }, events);
          const elements = events.filter((each) => each.kind === "element");
          const ways = elements.flatMap(({ key, timestamp }, value) =>
            of.windowFn.assign(timestamp).map((window) => {
              const isOwn = (other: unknown): boolean => of.windowFn.merging || String(other) === String(window);
              return (
                panes.filter((pane) => pane.key === key && pane.values.includes(value) && isOwn(pane.window)).length +
                dropped.filter((each) => each.value === value && isOwn(each.window)).length
              );
            }),
          );
          assert.ok(
            ways.every((each) => each === 1),
            `elements went ${ways.join()} ways`,
          );
          assert.equal(
            panes.reduce((sum, { values }) => sum + values.length, dropped.length),
            ways.length,
          );
        }));

      it("shows no element in a pane that it counts as dropped", () =>
        check(2000, (of, events) => {
          const { panes, dropped } = run(of, events);
          for (const { value, window } of dropped)
            assert.ok(!panes.some((pane) => pane.values.includes(value) && (of.windowFn.merging || String(pane.window) === window)));
        }));

      it("numbers the panes of a key and window, early ones first, then at most one on time, then late ones", () =>
        check(2000, (of, events) => {
          const byWindow = new Map<string, ModelPane[]>();
          for (const pane of run(of, events).panes) {
            const id = `${pane.key} ${String(pane.window)}`;
            byWindow.set(id, [...(byWindow.get(id) ?? []), pane]);
          }
          for (const panes of byWindow.values()) {
            const infos = panes.map(({ pane }) => pane);
            const ofTiming = (timing: PaneTiming): number => infos.filter((info) => info.timing === timing).length;
            const early = ofTiming(PaneTiming.EARLY);
            assert.ok(ofTiming(PaneTiming.ON_TIME) <= 1);
            assert.deepEqual(
              infos.map(({ timing }) => timing),
              infos.map(({ timing }) => timing).sort((x, y) => x - y),
            );
            assert.deepEqual(
              infos.map(({ index }) => index),
              infos.map((_, i) => i),
            );
            assert.deepEqual(
              infos.map(({ nonSpeculativeIndex }) => nonSpeculativeIndex),
              infos.map((_, i) => Math.max(-1, i - early)),
            );
            assert.deepEqual(
              infos.map(({ isFirst }) => isFirst),
              infos.map((_, i) => i === 0),
            );
            assert.ok(
              infos.slice(0, -1).every(({ isLast }) => !isLast),
              "a pane follows the last one",
            );
          }
        }));
    });
  }
});
