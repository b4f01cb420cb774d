import assert from "node:assert/strict";
import { utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import { ElementMeta, kv, NO_FIRING, PaneTiming, type KV } from "../../../../portability/values/index.js";
import { FixedWindows, mergeOverlapping, Sessions, type Trigger } from "../../../../portability/windows/index.js";
import { keySpaceOf } from "../../../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupIntoPanes, type GroupingStrategy } from "../../../../runner/windows/index.js";

/** A grouping of one key with a clock; each event returns the panes that it makes come out, as `[values] window timing`. */
class Bench {
  private readonly panes: string[] = [];
  private readonly windowFn;
  readonly grouping: GroupIntoPanes;
  now = 0;

  constructor(
    trigger: Trigger,
    { gapMs, ...some }: Partial<GroupingStrategy> & { readonly gapMs?: number } = {},
    mergeValues?: (left: unknown, right: unknown) => unknown,
  ) {
    this.windowFn = gapMs === undefined ? new FixedWindows(10) : new Sessions(gapMs);
    this.grouping = new GroupIntoPanes(
      { ...DEFAULT_GROUPING, allowedLatenessMs: 100, ...some, trigger, merge: gapMs === undefined ? undefined : mergeOverlapping },
      keySpaceOf(utf8Coder as Coder<unknown>),
      (value, { windows, pane: { timing, isLast } }) => {
        const name = timing === PaneTiming.EARLY ? "early" : timing === PaneTiming.ON_TIME ? "on time" : "late";
        const values = (value as KV<string, number[]>).value.join(" ");
        this.panes.push(`[${values}] ${windows.map(String).join()} ${name}${isLast ? ", last" : ""}`);
      },
      () => this.now,
      undefined,
      mergeValues,
    );
  }

  add(value: number, timestamp: number): string[] {
    this.grouping.process(kv("a", value), new ElementMeta(timestamp, this.windowFn.assign(timestamp), NO_FIRING));
    return this.drain();
  }

  watermark(watermark: number): string[] {
    this.grouping.advance(watermark);
    return this.drain();
  }

  clock(now: number): string[] {
    this.now = now;
    if (this.grouping.deadline <= now) this.grouping.advanceTime(now);
    return this.drain();
  }

  private drain(): string[] {
    assert.ok(this.grouping.drain(() => false));
    return this.panes.splice(0);
  }
}

const count = (wanted: number): Trigger => ({ kind: "element-count", count: wanted });
const delay = (delayMs: number): Trigger => ({ kind: "after-processing-time", steps: [{ delayMs }] });
const atEnd: Trigger = { kind: "after-end-of-window" };
const repeat = (of: Trigger): Trigger => ({ kind: "repeat", of });

describe("GroupIntoPanes", () => {
  context("when values merge", () => {
    const sum = (left: unknown, right: unknown): unknown => (right === 7 ? undefined : (left as number) + (right as number));

    it("has one value in each pane, late ones included, but for those whose merge fails", () => {
      const bench = new Bench(repeat(atEnd), {}, sum);
      for (const value of [1, 2, 7, 3]) assert.deepEqual(bench.add(value, 5), []);
      assert.deepEqual(bench.watermark(10), ["[3 10] [0, 10) on time"]);
      assert.deepEqual(bench.add(4, 5), ["[4] [0, 10) late"]);
    });

    it("merges what sessions have when they merge", () => {
      const bench = new Bench(atEnd, { gapMs: 10 }, sum);
      bench.add(1, 0);
      bench.add(2, 15);
      bench.add(4, 8);
      assert.deepEqual(bench.watermark(200), ["[7] [0, 25) on time, last"]);
    });
  });

  context("when a delay has run out and the trigger waits for more", () => {
    it("waits for the rest, not for the time that has come already", () => {
      const bench = new Bench({ kind: "after-all", of: [delay(10), count(2)] });
      bench.add(1, 0);
      assert.deepEqual(bench.clock(10), []);
      assert.equal(bench.grouping.deadline, Infinity);
      assert.deepEqual(bench.add(2, 1), ["[1 2] [0, 10) early, last"]);
    });

    it("waits for the longer one of two delays", () => {
      const bench = new Bench({ kind: "after-all", of: [delay(10), delay(20)] });
      bench.add(1, 0);
      assert.deepEqual(bench.clock(10), []);
      assert.deepEqual(bench.clock(20), ["[1] [0, 10) early, last"]);
    });
  });

  it("does not ask a trigger at a time that it waits for no more", () => {
    const bench = new Bench({ kind: "after-each", of: [{ kind: "after-any", of: [delay(10), count(2)] }, atEnd] });
    bench.watermark(15);
    bench.add(1, 0);
    assert.deepEqual(bench.add(2, 1), ["[1 2] [0, 10) late"]);
    // What is at the end of the window is ready as soon as it is asked: then the window would be closed.
    assert.deepEqual(bench.clock(10), []);
    assert.deepEqual(bench.add(3, 2), ["[3] [0, 10) late, last"]);
  });

  it("finishes once `until` has fired, though that would go on", () => {
    const bench = new Bench({ kind: "or-finally", main: repeat(count(2)), until: repeat(count(3)) });
    bench.add(1, 0);
    assert.deepEqual(bench.add(2, 0), ["[1 2] [0, 10) early"]);
    assert.deepEqual(bench.add(3, 0), ["[3] [0, 10) early, last"]);
    assert.deepEqual(bench.add(4, 0), []);
    assert.equal(bench.grouping.droppedClosed, 1);
  });

  for (const [when, watermark] of [
    ["early", 0],
    ["late", 15],
  ] as const)
    it(`repeats what is ${when} when it has finished, not each time it fires`, () => {
      const each: Trigger = { kind: "after-each", of: [count(1), count(2)] };
      const bench = new Bench({ kind: "after-end-of-window", [when]: each });
      bench.watermark(watermark);
      if (when === "late") assert.deepEqual(bench.add(0, 0), ["[0] [0, 10) late"]); // stands for the pane at the end
      assert.deepEqual(bench.add(1, 0), [`[1] [0, 10) ${when}`]);
      assert.deepEqual(bench.add(2, 0), []);
      assert.deepEqual(bench.add(3, 0), [`[2 3] [0, 10) ${when}`]);
      assert.deepEqual(bench.add(4, 0), [`[4] [0, 10) ${when}`]);
    });

  context("when the last pane is wanted even if it is empty", () => {
    const strategy = { emptyFinalPane: true, emptyOnTimePane: false };

    it("emits it when the trigger finishes before the window expires", () => {
      const bench = new Bench({ kind: "or-finally", main: repeat(count(1)), until: atEnd }, strategy);
      assert.deepEqual(bench.add(1, 0), ["[1] [0, 10) early"]);
      assert.deepEqual(bench.watermark(10), ["[] [0, 10) on time, last"]);
      assert.deepEqual(bench.watermark(1000), []);
    });

    it("emits it when the window expires", () => {
      const bench = new Bench(repeat(count(1)), strategy);
      assert.deepEqual(bench.add(1, 0), ["[1] [0, 10) early"]);
      assert.deepEqual(bench.watermark(1000), ["[] [0, 10) on time, last"]);
    });
  });

  context("when a session is extended", () => {
    it("takes elements again though it was closed, if its trigger is to fire at an end that is still to come", () => {
      const bench = new Bench(atEnd, { gapMs: 5 });
      bench.add(1, 10);
      assert.deepEqual(bench.watermark(15), ["[1] [10, 15) on time, last"]);
      assert.deepEqual(bench.add(2, 14), []);
      assert.deepEqual(bench.watermark(30), ["[2] [10, 19) on time, last"]);
      assert.equal(bench.grouping.droppedClosed, 0);
    });

    it("stays closed where the trigger does not start again", () => {
      const bench = new Bench(count(1), { gapMs: 5 });
      assert.deepEqual(bench.add(1, 10), ["[1] [10, 15) early, last"]);
      assert.deepEqual(bench.add(2, 14), []);
      assert.equal(bench.grouping.droppedClosed, 1);
    });

    it("counts late elements of the pane as early ones when the end is to come again", () => {
      const bench = new Bench({ kind: "after-end-of-window", early: count(2), late: count(3) }, { gapMs: 5 });
      bench.add(1, 10);
      assert.deepEqual(bench.watermark(15), ["[1] [10, 15) on time"]);
      assert.deepEqual(bench.add(2, 10), []);
      assert.deepEqual(bench.add(3, 14), ["[2 3] [10, 19) early"]);
    });

    it("counts elements of a session in which the part of `after-each` was not current yet", () => {
      const bench = new Bench({ kind: "after-each", of: [count(2), count(3)] }, { gapMs: 5 });
      bench.add(1, 10);
      assert.deepEqual(bench.add(2, 10), ["[1 2] [10, 15) early"]);
      bench.add(3, 10);
      bench.add(4, 18);
      assert.deepEqual(bench.add(5, 14), ["[3 4 5] [10, 23) early, last"]);
    });
  });
});
