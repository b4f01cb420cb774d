// Combines whose accumulators are changed by merging, under triggers and over sessions. Catches panes that merge an accumulator a second time,
// and sessions that differ from those of a grouping.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  afterDelay,
  afterWatermark,
  combinePerKey,
  fixed,
  groupByKey,
  kv,
  map,
  reifyWindows,
  repeatedly,
  sessions,
  windowInto,
  type CombineFn,
  type KV,
  type WindowOptions,
} from "../../sdk/index.js";
import { testStream } from "../../sdk/testing/index.js";
import { runPipeline } from "../../local/testing.js";

const sorted = (numbers: Iterable<number>): string => [...numbers].sort((a, b) => a - b).join();
const listFn: CombineFn<number, number[], string> = {
  createAccumulator: () => [],
  addInput(list, n) {
    list.push(n);
    return list;
  },
  mergeAccumulators(left, right) {
    left.push(...right);
    return left;
  },
  extractOutput: sorted,
};

describe("panes of a combine", () => {
  const trigger = afterWatermark({ early: repeatedly(afterDelay(2)) });
  for (const [panes, expected] of [
    ["accumulating", ["1,2", "1,2,3", "1,2,3"]],
    ["discarding", ["1,2", "3", ""]],
  ] as const)
    it(`hold each element once when ${panes}`, async () => {
      const found = await runPipeline((p) =>
        p
          .apply(
            testStream<KV<string, number>>()
              .at(0, kv("a", 1))
              .at(1, kv("a", 2))
              .advanceProcessingTime(5)
              .at(2, kv("a", 3))
              .advanceProcessingTime(5),
          )
          .apply(windowInto(fixed(10), { trigger, panes }))
          .apply(combinePerKey(listFn))
          .apply(map(({ value }) => value)),
      );
      assert.deepEqual(found, expected);
    });
});

describe("a combine over sessions", () => {
  it("gives each session what a grouping gives it, with the same timestamp, in bundles of any size", async () => {
    const element = fc.record({ key: fc.constantFrom("a", "b"), at: fc.integer({ min: 0, max: 40 }), by: fc.constantFrom(0, 0, 0, 2, 9) });
    const combiners = fc.constantFrom<NonNullable<WindowOptions["timestampCombiner"]>>("end-of-window", "earliest", "latest");
    await fc.assert(
      fc.asyncProperty(fc.array(element, { maxLength: 25 }), combiners, fc.integer(), async (elements, timestampCombiner, shuffleSeed) => {
        const script = testStream<KV<string, number>>();
        let watermark = 0;
        elements.forEach(({ key, at, by }, i) => {
          script.at(watermark + at, kv(key, i));
          if (by > 0) script.watermark((watermark += by));
        });
        const { combined, grouped } = await runPipeline(
          (p) => {
            const input = p.apply(script).apply(windowInto(sessions(5), { timestampCombiner }));
            return {
              combined: input.apply(combinePerKey(listFn)).apply(reifyWindows("of the combine")),
              grouped: input
                .apply(groupByKey())
                .apply(map(({ key, value }) => kv(key, sorted(value))))
                .apply(reifyWindows("of the grouping")),
            };
          },
          { shuffleSeed },
        );
        const lines = (found: typeof combined): string[] =>
          found
            .map(({ value: { key, value }, window, timestamp, pane }) => `${key} ${value} ${String(window)} ${timestamp} ${pane.timing}`)
            .sort();
        assert.deepEqual(lines(combined), lines(grouped));
      }),
      { numRuns: 60 },
    );
  });
});
