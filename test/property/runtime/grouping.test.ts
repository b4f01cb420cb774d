// Grouping against an oracle that knows all elements at once. Catches lost or doubled values, windows compared by identity,
// state that a split table forgets, emission that depends on where it was interrupted, and holds that are too late.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import { ElementMeta, IntervalWindow, kv, MAX_TIMESTAMP, NO_FIRING, type KV } from "../../../portability/values/index.js";
import { HeapStore, KeyGroups, keySpaceOf, type BagCells } from "../../../runner/store/index.js";
import { MergedTables } from "../../../runner/store/merged-tables.js";
import { MergingBag } from "../../../runner/store/merging-bag.js";
import { GroupByKey, type TimestampCombiner } from "../../../runner/windows/index.js";

const key = fc.oneof(
  fc.constantFrom("a", "b", "ä", "\ud800"),
  fc.constantFrom(0, -0, 1, NaN),
  fc.constantFrom<unknown[]>([1], ["1"]),
  fc.constant(null),
);
const element = fc.record({ key, timestamp: fc.integer({ min: 0, max: 60 }) });
/** Elements, and now and then a watermark that is not ahead of elements still to come. */
const input = fc.array(element, { maxLength: 60 });

const slidingWindows = (timestamp: number): IntervalWindow[] =>
  [0, 5].map((back) => Math.floor(timestamp / 5) * 5 - back).map((start) => new IntervalWindow(start, start + 10));

const nameOf = (value: unknown): string =>
  Object.is(value, -0)
    ? "-0"
    : typeof value === "string"
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? JSON.stringify(value)
        : String(value);

describe("GroupByKey", () => {
  for (const combiner of ["end-of-window", "earliest", "latest"] as const satisfies readonly TimestampCombiner[])
    it(`emits what an oracle says, whatever the interruptions, with timestamps by ${combiner}`, () => {
      fc.assert(
        fc.property(input, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), (elements, splitAt, budgetOf) => {
          const keys = keySpaceOf(new ValueCoder());
          const emitted: string[] = [];
          let outputWatermark = -Infinity;
          const grouping = new GroupByKey(combiner, keys, new HeapStore(new KeyGroups(8, keys), splitAt), (value, meta) => {
            const { key: group, value: values } = value as KV<unknown, number[]>;
            assert.ok(meta.timestamp >= outputWatermark, "emitted behind the output watermark");
            emitted.push(`${nameOf(group)} ${meta.windows.map(String).join()} ${meta.timestamp}: ${values.join()}`);
          });
          const drain = (): void => {
            for (;;) {
              let budget = budgetOf;
              const drained = grouping.drain(() => budget-- === 0);
              outputWatermark = Math.max(outputWatermark, Math.min(watermark, grouping.hold()));
              if (drained) return;
            }
          };
          let watermark = -100;
          // The watermark follows the elements as closely as it may.
          const least = elements.map((_, i) => Math.min(...elements.slice(i).map(({ timestamp }) => timestamp)));
          elements.forEach((each, i) => {
            if (least[i] > watermark) grouping.advance((watermark = least[i]));
            drain();
            grouping.process(kv(each.key, i), new ElementMeta(each.timestamp, slidingWindows(each.timestamp), NO_FIRING));
          });
          grouping.advance((watermark = MAX_TIMESTAMP));
          drain();
          assert.deepEqual(emitted.sort(), oracle(elements, combiner));
          assert.equal(grouping.droppedLate, 0);
        }),
      );
    });
});

describe("GroupByKey that merges", () => {
  for (const combiner of ["end-of-window", "earliest", "latest"] as const satisfies readonly TimestampCombiner[])
    it(`emits groups that come to what an oracle says, whatever merges fail, with timestamps by ${combiner}`, () => {
      fc.assert(
        fc.property(input, fc.integer({ min: 1, max: 20 }), (elements, failing) => {
          const keys = keySpaceOf(new ValueCoder());
          const groups = new KeyGroups(8, keys);
          let merges = 0;
          const tables = new MergedTables<string>();
          const merge = (left: string, right: string): string | undefined => (++merges % failing === 0 ? undefined : `${left},${right}`);
          const store = new HeapStore(groups, 3, () => new MergingBag<string>({ groups, splitAt: 3, merge, tables }) as BagCells<unknown>);
          const emitted: string[] = [];
          const grouping = new GroupByKey(combiner, keys, store, (value, meta) => {
            const { key: group, value: values } = value as KV<unknown, string[]>;
            assert.ok(Array.isArray(values));
            emitted.push(`${nameOf(group)} ${meta.windows.map(String).join()} ${meta.timestamp}: ${values.join()}`);
          });
          elements.forEach((each, i) =>
            grouping.process(kv(each.key, String(i)), new ElementMeta(each.timestamp, slidingWindows(each.timestamp), NO_FIRING)),
          );
          grouping.advance(MAX_TIMESTAMP);
          assert.ok(grouping.drain(() => false));
          assert.deepEqual(emitted.sort(), oracle(elements, combiner));
        }),
      );
    });
});

describe("what GroupByKey has emitted of merged groups", () => {
  it("can be had again until the bundle is committed, and not what other windows have put in its place", () => {
    let again = 0;
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream(fc.boolean()),
        (unordered, failing, commits) => {
          const elements = [...unordered].sort((a, b) => a.timestamp - b.timestamp);
          const keys = keySpaceOf(new ValueCoder());
          const groups = new KeyGroups(8, keys);
          const tables = new MergedTables<string>();
          let merges = 0;
          const merge = (left: string, right: string): string | undefined => (++merges % failing === 0 ? undefined : `${left},${right}`);
          const store = new HeapStore(groups, 3, () => new MergingBag<string>({ groups, splitAt: 3, merge, tables }) as BagCells<unknown>);
          const emitted: string[] = [];
          let bundle: (() => void)[] = [];
          const render = (value: unknown, meta: ElementMeta): string => {
            const { key: group, value: values } = value as KV<unknown, string[]>;
            return `${nameOf(group)} ${meta.windows.map(String).join()} ${meta.timestamp}: ${values.join()}`;
          };
          const grouping = new GroupByKey("end-of-window", keys, store, (value, meta, from, number) => {
            const text = render(value, meta);
            emitted.push(text);
            if (from !== undefined) bundle.push(() => assert.equal(render(from.valueAt(number!), from.metaAt(number!)), text));
          });
          const drain = (): void => {
            for (let isDrained = false; !isDrained;) {
              let budget = 3;
              isDrained = grouping.drain(() => budget-- === 0);
              if (!commits.next().value) continue;
              again += bundle.length;
              for (const check of bundle) check();
              bundle = [];
              grouping.committed();
            }
          };
          elements.forEach((each, i) => {
            grouping.advance(each.timestamp);
            drain();
            grouping.process(kv(each.key, String(i)), new ElementMeta(each.timestamp, slidingWindows(each.timestamp), NO_FIRING));
          });
          grouping.advance(MAX_TIMESTAMP);
          drain();
          for (const check of bundle) check();
          assert.deepEqual(emitted.sort(), oracle(elements, "end-of-window"));
        },
      ),
    );
    assert.ok(again > 100, "nothing was looked at again");
  });
});

function oracle(elements: readonly { key: unknown; timestamp: number }[], combiner: TimestampCombiner): string[] {
  const groups = new Map<string, { timestamps: number[]; values: number[]; end: number }>();
  elements.forEach(({ key: group, timestamp }, i) => {
    for (const window of slidingWindows(timestamp)) {
      const id = `${nameOf(group)} ${String(window)}`;
      const { timestamps, values } = groups.get(id) ?? groups.set(id, { timestamps: [], values: [], end: window.maxTimestamp }).get(id)!;
      timestamps.push(timestamp);
      values.push(i);
    }
  });
  const stamp = { "end-of-window": Math.max, earliest: Math.min, latest: Math.max }[combiner];
  return [...groups]
    .map(([id, { timestamps, values, end }]) => `${id} ${combiner === "end-of-window" ? end : stamp(...timestamps)}: ${values.join()}`)
    .sort();
}
