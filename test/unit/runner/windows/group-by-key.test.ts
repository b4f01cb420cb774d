import assert from "node:assert/strict";
import { utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import {
  ElementMeta,
  IntervalWindow,
  kv,
  NO_FIRING,
  ON_TIME_AND_ONLY,
  PaneTiming,
  type KV,
  type Window,
} from "../../../../portability/values/index.js";
import { HeapStore, KeyGroups, keySpaceOf } from "../../../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupByKey, GroupIntoPanes, hasOnePane, type GroupingStrategy } from "../../../../runner/windows/index.js";

interface Emitted {
  readonly group: string;
  readonly meta: ElementMeta;
}

/** A grouping and what it has emitted, as `key[values]@window`. */
class Bench {
  readonly emitted: Emitted[] = [];
  readonly grouping: GroupByKey | GroupIntoPanes;

  constructor(some: Partial<GroupingStrategy> = {}) {
    const keys = keySpaceOf(utf8Coder as Coder<unknown>);
    const emit = (value: unknown, meta: ElementMeta): void => {
      const { key, value: values } = value as KV<string, number[]>;
      this.emitted.push({ group: `${key}[${values.join(" ")}]@${meta.windows.map(String).join(" ")}`, meta });
    };
    const strategy = { ...DEFAULT_GROUPING, ...some };
    this.grouping = hasOnePane(strategy)
      ? new GroupByKey(strategy.timestampCombiner, keys, new HeapStore(new KeyGroups(16, keys)), emit)
      : new GroupIntoPanes(strategy, keys, emit, () => 0);
  }

  /** An element in fixed windows of 10 ms, or in the given ones. */
  add(key: string, value: number, timestamp: number, windows: readonly Window[] = [fixed(timestamp)]): this {
    this.grouping.process(kv(key, value), new ElementMeta(timestamp, windows, NO_FIRING));
    return this;
  }

  /** The groups that come out when the watermark is moved there, or when what is due is emitted. */
  advance(watermark?: number): string[] {
    const before = this.emitted.length;
    if (watermark !== undefined) this.grouping.advance(watermark);
    assert.ok(this.grouping.drain(() => false));
    return this.emitted.slice(before).map(({ group }) => group);
  }
}

const fixed = (timestamp: number): Window => new IntervalWindow(Math.floor(timestamp / 10) * 10, Math.floor(timestamp / 10) * 10 + 10);

describe("GroupByKey", () => {
  it("drops an element from those of its windows that have ended, although others came in the same ones before", () => {
    const windows = [new IntervalWindow(0, 10), new IntervalWindow(5, 15)];
    const bench = new Bench().add("a", 1, 6, windows).add("b", 2, 6, windows);
    assert.deepEqual(bench.advance(10), ["a[1]@[0, 10)", "b[2]@[0, 10)"]);
    bench.add("a", 3, 6, windows);
    assert.equal(bench.grouping.droppedLate, 1);
    assert.deepEqual(bench.advance(15), ["a[1 3]@[5, 15)", "b[2]@[5, 15)"]);
  });

  it("emits a window's groups when the watermark passes its last instant, once", () => {
    const bench = new Bench().add("a", 1, 3).add("b", 2, 4).add("a", 3, 9).add("a", 4, 12);
    assert.deepEqual(bench.advance(9), []);
    assert.deepEqual(bench.advance(10), ["a[1 3]@[0, 10)", "b[2]@[0, 10)"]);
    assert.deepEqual(bench.advance(15), []);
    assert.deepEqual(bench.advance(20), ["a[4]@[10, 20)"]);
    assert.deepEqual(
      bench.emitted.map(({ meta }) => [meta.timestamp, meta.pane]),
      [
        [9, ON_TIME_AND_ONLY],
        [9, ON_TIME_AND_ONLY],
        [19, ON_TIME_AND_ONLY],
      ],
    );
  });

  it("emits windows in the order of their ends", () => {
    const bench = new Bench().add("a", 1, 35).add("a", 2, 5).add("a", 3, 25).add("a", 4, 15);
    assert.deepEqual(bench.advance(100), ["a[2]@[0, 10)", "a[4]@[10, 20)", "a[3]@[20, 30)", "a[1]@[30, 40)"]);
  });

  it("puts an element into each of its windows", () => {
    const windows = [new IntervalWindow(0, 10), new IntervalWindow(5, 15)];
    const bench = new Bench().add("a", 1, 7, windows).add("a", 2, 12, [new IntervalWindow(5, 15)]);
    assert.deepEqual(bench.advance(100), ["a[1]@[0, 10)", "a[1 2]@[5, 15)"]);
  });

  it("drops and counts what comes after its window without allowed lateness", () => {
    const bench = new Bench().add("a", 1, 3);
    bench.advance(10);
    bench.add("a", 2, 4);
    assert.deepEqual(bench.advance(20), []);
    assert.equal(bench.grouping.droppedLate, 1);
  });

  it("stops when asked to and goes on where it was", () => {
    const bench = new Bench();
    for (let i = 0; i < 10; i++) bench.add(`k${i}`, i, 1).add(`k${i}`, i, 11);
    bench.grouping.advance(100);
    let budget = 0;
    let rounds = 0;
    do {
      budget = 3;
      rounds++;
    } while (!bench.grouping.drain(() => budget-- === 0));
    assert.equal(bench.emitted.length, 20);
    assert.equal(new Set(bench.emitted.map(({ group }) => group)).size, 20);
    assert.ok(rounds >= 6);
  });

  context("with allowed lateness", () => {
    const lateness = { allowedLatenessMs: 20 };

    it("emits late elements as late panes, numbered by key", () => {
      const bench = new Bench(lateness).add("a", 1, 3);
      assert.deepEqual(bench.advance(10), ["a[1]@[0, 10)"]);
      assert.deepEqual(bench.add("a", 2, 4).advance(), ["a[2]@[0, 10)"]);
      assert.deepEqual(bench.add("b", 3, 5).add("a", 4, 6).advance().sort(), ["a[4]@[0, 10)", "b[3]@[0, 10)"]);
      const panesOf = (key: string) =>
        bench.emitted.filter(({ group }) => group.startsWith(key)).map(({ meta: { pane } }) => [pane.timing, pane.index, pane.isFirst]);
      assert.deepEqual(panesOf("a"), [
        [PaneTiming.ON_TIME, 0, true],
        [PaneTiming.LATE, 1, false],
        [PaneTiming.LATE, 2, false],
      ]);
      assert.deepEqual(panesOf("b"), [[PaneTiming.LATE, 0, true]]);
    });

    it("takes the first element of a window even if it is late", () => {
      const bench = new Bench(lateness);
      bench.advance(15);
      assert.deepEqual(bench.add("a", 1, 3).advance(), ["a[1]@[0, 10)"]);
      assert.equal(bench.emitted[0].meta.pane.timing, PaneTiming.LATE);
    });

    it("drops what comes after end and lateness", () => {
      const bench = new Bench(lateness).add("a", 1, 3);
      bench.advance(29);
      assert.deepEqual(bench.add("a", 2, 3).advance(), ["a[2]@[0, 10)"]);
      bench.advance(30);
      assert.deepEqual(bench.add("a", 3, 3).advance(), []);
      assert.equal(bench.grouping.droppedLate, 1);
    });

    it("repeats earlier values where panes accumulate", () => {
      const bench = new Bench({ ...lateness, accumulating: true }).add("a", 1, 3).add("b", 9, 3);
      bench.advance(10);
      assert.deepEqual(bench.add("a", 2, 4).advance(), ["a[1 2]@[0, 10)"]);
      assert.deepEqual(bench.add("a", 3, 4).advance(), ["a[1 2 3]@[0, 10)"]);
    });
  });

  context("with another timestamp combiner", () => {
    it("stamps a pane with the earliest timestamp and holds the watermark there", () => {
      const bench = new Bench({ timestampCombiner: "earliest" }).add("a", 1, 13).add("a", 2, 11).add("b", 3, 17);
      bench.grouping.advance(15);
      assert.equal(bench.grouping.hold(), 11);
      bench.advance(20);
      assert.deepEqual(
        bench.emitted.map(({ meta }) => meta.timestamp),
        [11, 17],
      );
      assert.ok(bench.grouping.hold() > 20);
    });

    it("stamps a pane with the latest timestamp", () => {
      const bench = new Bench({ timestampCombiner: "latest" }).add("a", 1, 13).add("a", 2, 11);
      bench.advance(20);
      assert.deepEqual(
        bench.emitted.map(({ meta }) => meta.timestamp),
        [13],
      );
    });
  });

  it("holds the watermark at the end of a window that is half emitted", () => {
    const bench = new Bench().add("a", 1, 3).add("b", 1, 3);
    bench.grouping.advance(50);
    let budget = 1;
    assert.ok(!bench.grouping.drain(() => budget-- === 0));
    assert.equal(bench.emitted.length, 1);
    assert.equal(bench.grouping.hold(), 9);
  });
});
