// Grouping by sessions against an oracle that sorts all elements and cuts them where a gap is. Catches sessions that depend on the
// order of arrival, merges that lose or double values, timers of sessions that have grown, and holds that are too late.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import { ElementMeta, IntervalWindow, kv, MAX_TIMESTAMP, NO_FIRING, PaneTiming, type KV } from "../../../portability/values/index.js";
import { mergeOverlapping, Sessions } from "../../../portability/windows/index.js";
import { keySpaceOf } from "../../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupIntoPanes, type GroupingStrategy, type TimestampCombiner } from "../../../runner/windows/index.js";

const GAP = 5;
const sessions = new Sessions(GAP);
const element = fc.record({ key: fc.constantFrom("a", "b"), timestamp: fc.integer({ min: 0, max: 60 }) });
type Element = typeof element extends fc.Arbitrary<infer E> ? E : never;

const metaOf = (timestamp: number): ElementMeta => new ElementMeta(timestamp, sessions.assign(timestamp), NO_FIRING);

function strategy(timestampCombiner: TimestampCombiner, more: Partial<GroupingStrategy> = {}): GroupingStrategy {
  return { ...DEFAULT_GROUPING, timestampCombiner, merge: mergeOverlapping, ...more };
}

/** `key [start, end) timestamp: indices`, sorted. */
function oracle(elements: readonly Element[], combiner: TimestampCombiner): string[] {
  const groups: string[] = [];
  for (const key of ["a", "b"]) {
    const own = elements.map(({ key: k, timestamp }, i) => ({ k, timestamp, i })).filter(({ k }) => k === key);
    own.sort((x, y) => x.timestamp - y.timestamp);
    let from = 0;
    own.forEach(({ timestamp }, at) => {
      if (at + 1 < own.length && own[at + 1].timestamp < timestamp + GAP) return;
      const session = own.slice(from, at + 1);
      from = at + 1;
      const start = session[0].timestamp;
      const at3 = { "end-of-window": timestamp + GAP - 1, earliest: start, latest: timestamp }[combiner];
      groups.push(
        `${key} [${start}, ${timestamp + GAP}) ${at3}: ${session
          .map(({ i }) => i)
          .sort((x, y) => x - y)
          .join()}`,
      );
    });
  }
  return groups.sort();
}

describe("GroupIntoPanes, of sessions", () => {
  for (const combiner of ["end-of-window", "earliest", "latest"] as const)
    it(`emits what an oracle says, whatever the interruptions, with timestamps by ${combiner}`, () => {
      fc.assert(
        fc.property(fc.array(element, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (elements, budgetOf) => {
          const emitted: string[] = [];
          let watermark = -100;
          let outputWatermark = -Infinity;
          const grouping = new GroupIntoPanes(
            strategy(combiner),
            keySpaceOf(new ValueCoder()),
            (value, meta) => {
              const { key, value: values } = value as KV<string, number[]>;
              assert.ok(meta.timestamp >= outputWatermark, "emitted behind the output watermark");
              emitted.push(`${key} ${meta.windows.map(String).join()} ${meta.timestamp}: ${[...values].sort((x, y) => x - y).join()}`);
            },
            () => 0,
          );
          const drain = (): void => {
            for (;;) {
              let budget = budgetOf;
              const drained = grouping.drain(() => budget-- === 0);
              outputWatermark = Math.max(outputWatermark, Math.min(watermark, grouping.hold()));
              if (drained) return;
            }
          };
          const least = elements.map((_, i) => Math.min(...elements.slice(i).map(({ timestamp }) => timestamp)));
          elements.forEach(({ key, timestamp }, i) => {
            if (least[i] > watermark) grouping.advance((watermark = least[i]));
            drain();
            grouping.process(kv(key, i), metaOf(timestamp));
          });
          grouping.advance((watermark = MAX_TIMESTAMP));
          drain();
          assert.deepEqual(emitted.sort(), oracle(elements, combiner));
          assert.equal(grouping.droppedLate, 0);
        }),
        { numRuns: 500 },
      );
    });

  const bench = (more: Partial<GroupingStrategy> = {}) => {
    const emitted: string[] = [];
    const grouping = new GroupIntoPanes(
      strategy("end-of-window", more),
      keySpaceOf(new ValueCoder()),
      (value, meta) => {
        const timing = Object.entries(PaneTiming).find(([, number]) => number === meta.pane.timing)?.[0];
        emitted.push(`${meta.windows.map(String).join()} ${timing} ${meta.pane.index}: ${(value as KV<string, number[]>).value.join()}`);
      },
      () => 0,
    );
    const at = (watermark: number): void => {
      grouping.advance(watermark);
      grouping.drain(() => false);
    };
    return { grouping, emitted, at, add: (timestamp: number, value: number) => grouping.process(kv("a", value), metaOf(timestamp)) };
  };

  it("drops an element whose session is over, and takes one that extends a session which is not", () => {
    const { grouping, emitted, at, add } = bench();
    add(10, 1);
    at(12);
    add(8, 2); // alone it would end at 13
    add(2, 3); // ends at 7: over, and touches nothing
    at(100);
    assert.deepEqual(emitted, ["[8, 15) ON_TIME 0: 1,2"]);
    assert.equal(grouping.droppedLate, 1);
  });

  it("fires again for late elements within the allowed lateness, in the window they make", () => {
    for (const accumulating of [false, true]) {
      const { emitted, at, add } = bench({ allowedLatenessMs: 20, accumulating });
      add(10, 1);
      at(20);
      add(12, 2);
      at(21);
      at(1000);
      assert.deepEqual(emitted, ["[10, 15) ON_TIME 0: 1", `[10, 17) LATE 0: ${accumulating ? "1,2" : "2"}`]);
    }
  });

  it("forgets a session when its lateness is over", () => {
    const { grouping, emitted, at, add } = bench({ allowedLatenessMs: 3 });
    add(10, 1);
    at(15);
    at(18);
    add(9, 2);
    at(1000);
    assert.deepEqual(emitted, ["[10, 15) ON_TIME 0: 1"]);
    assert.equal(grouping.droppedLate, 1);
  });
});

describe("mergeOverlapping", () => {
  it("ends up with the same windows in whatever order they come, and whatever has merged before", () => {
    const interval = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 12 }), fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (intervals, order) => {
        const merged = (windows: readonly IntervalWindow[]): IntervalWindow[] => {
          const merges = mergeOverlapping(windows);
          const gone = new Set(merges.flatMap((merge) => merge.windows));
          return [...windows.filter((window) => !gone.has(window)), ...merges.map(({ into }) => into as IntervalWindow)];
        };
        const all = intervals.map(([start, length]) => new IntervalWindow(start, start + length));
        const shuffled = all.map((each, i) => [order[i], each] as const).sort(([x], [y]) => x - y);
        const oneByOne = shuffled.reduce((windows: IntervalWindow[], [, window]) => merged([...windows, window]), []);
        const distinct = (windows: readonly IntervalWindow[]): string[] => [...new Set(windows.map(String))].sort();
        assert.deepEqual(distinct(oneByOne), distinct(merged(all)));
      }),
    );
  });
});
