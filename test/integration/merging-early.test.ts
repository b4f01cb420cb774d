// Accumulators that a grouping merges as they come, against a grouping of the elements themselves. Catches accumulators that are merged twice
// or lost where merging fails, takes its time or changes its arguments, and failures that nobody hears of.
import assert from "node:assert/strict";
import fc from "fast-check";
import { UserCodeError } from "../../portability/stage-host/index.js";
import {
  combinePerKey,
  fixed,
  groupByKey,
  kv,
  map,
  reifyWindows,
  reshuffle,
  sequence,
  sessions,
  sliding,
  windowInto,
  type AsyncCombineFn,
  type KV,
  type PCollection,
  type WindowOptions,
} from "../../sdk/index.js";
import { testStream } from "../../sdk/testing/index.js";
import { runPipeline } from "../../local/testing.js";

type Fn = AsyncCombineFn<number, unknown, string>;

const textFn: AsyncCombineFn<number, string, string> = {
  createAccumulator: () => "",
  addInput: (text, n) => `${text as string},${n}`,
  mergeAccumulators: (left, right) => `${left as string}${right as string}`,
  extractOutput: (text) => text,
};
/** Its merge fails, the first time that it is given two accumulators. */
const flakyFn = (): AsyncCombineFn<number, string, string> => {
  const seen = new Set<string>();
  return {
    ...textFn,
    mergeAccumulators(left, right) {
      const pair = `${left}+${right}`;
      if (!seen.has(pair)) {
        seen.add(pair);
        throw new Error("fails once");
      }
      return left + right;
    },
  };
};
interface Text {
  text: string;
}
const textOf = (accumulator: string | Text): string => (typeof accumulator === "string" ? accumulator : accumulator.text);
/** Its accumulators are objects from some length on, which merging changes. */
const mixedFn: AsyncCombineFn<number, string | Text, string> = {
  createAccumulator: () => "",
  addInput: (accumulator, n) => {
    const text = `${textOf(accumulator)},${n}`;
    return text.length > 2 ? { text } : text;
  },
  mergeAccumulators(left, right) {
    if (typeof left === "string") return { text: left + textOf(right) };
    left.text += textOf(right);
    return left;
  },
  extractOutput: textOf,
};
const fns: Readonly<Record<string, () => Fn>> = {
  "nobody can change them": () => textFn as Fn,
  "some of them are objects": () => mixedFn as Fn,
  "they fail to merge at first": () => flakyFn() as Fn,
  "they merge later": () => ({ ...textFn, mergeAccumulators: async (left, right) => `${left as string}${right as string}` }) as Fn,
  "they fail to merge at first, and later": () => {
    const { mergeAccumulators, ...others } = flakyFn();
    return { ...others, mergeAccumulators: async (left, right) => mergeAccumulators(left as string, right as string) } as Fn;
  },
};

type Input = PCollection<KV<string, number>>;
const windowings: readonly ((input: Input, options: WindowOptions) => Input)[] = [
  (input, options) => input.apply(windowInto(fixed(10), options)),
  (input, options) => input.apply(windowInto(sliding({ size: 10, every: 5 }), options)),
  (input, options) => input.apply(windowInto(fixed(10), { ...options, allowedLatenessMs: 20 })),
  (input, options) => input.apply(windowInto(sessions(5), options)),
];

describe("accumulators that a grouping merges as they come", () => {
  for (const [which, makeFn] of Object.entries(fns))
    it(`come to what the elements do where ${which}`, async () => {
      const element = fc.record({
        key: fc.constantFrom("a", "b"),
        at: fc.integer({ min: -8, max: 20 }),
        by: fc.constantFrom(0, 0, 0, 2, 9),
      });
      const combiners = fc.constantFrom<NonNullable<WindowOptions["timestampCombiner"]>>("end-of-window", "earliest", "latest");
      const windowing = fc.constantFrom(...windowings);
      await fc.assert(
        fc.asyncProperty(
          fc.array(element, { maxLength: 30, size: "max" }),
          windowing,
          combiners,
          fc.integer(),
          async (elements, windowed, timestampCombiner, shuffleSeed) => {
            const script = testStream<KV<string, number>>();
            let watermark = 0;
            elements.forEach(({ key, at, by }, i) => {
              script.at(watermark + at, kv(key, i));
              if (by > 0) script.watermark((watermark += by));
            });
            const { combined, grouped } = await runPipeline(
              (p) => {
                const input = windowed(p.apply(script), { timestampCombiner });
                return {
                  // What collects elements is behind a reshuffle, so that a bundle that is tried again is not collected twice.
                  combined: input.apply(combinePerKey(makeFn())).apply(reifyWindows("of the combine")).apply(reshuffle()),
                  grouped: input
                    .apply(groupByKey())
                    .apply(map(({ key, value }) => kv(key, [...value].map((n) => `,${n}`).join(""))))
                    .apply(reifyWindows("of the grouping")),
                };
              },
              { shuffleSeed, runtime: { bundleAttempts: 1000, retryDelayMs: 0 } },
            );
            assert.deepEqual(contents(combined), contents(grouped));
          },
        ),
        { numRuns: 40 },
      );
    });

  it("are told of, with transform and key, when they fail to merge", async () => {
    const broken: AsyncCombineFn<number, number, number> = {
      createAccumulator: () => 0,
      addInput: (sum, n) => sum + n,
      mergeAccumulators: () => assert.fail("cannot merge"),
      extractOutput: (sum) => sum,
    };
    const failing = runPipeline(
      (p) =>
        p
          .apply(sequence({ to: 100, timestampOf: (n) => n }))
          .apply(map((n) => kv(`key ${n % 2}`, n)))
          .apply(windowInto(fixed(50)))
          .apply(combinePerKey("sum up", broken)) as PCollection<unknown>,
      { shuffleSeed: 1, runtime: { retryDelayMs: 0 } },
    );
    await assert.rejects(failing, (error: unknown) => {
      assert.ok(error instanceof UserCodeError);
      assert.match(error.message, /mergeAccumulators failed.*cannot merge/s);
      assert.equal(error.site.transform, "sum up");
      assert.match(error.site.element ?? "", /key [01]/);
      assert.equal(error.site.attempts, 4);
      return true;
    });
  });
});

/** What each key and window has had in all its panes, in ascending order; and when, where there is one pane. */
function contents(found: readonly { value: KV<string, string>; window: unknown; timestamp: number }[]): string[] {
  const all = new Map<string, number[]>();
  const times = new Map<string, Set<number>>();
  for (const { value, window, timestamp } of found) {
    const place = `${value.key} ${String(window)}`;
    all.set(place, [...(all.get(place) ?? []), ...value.value.split(",").slice(1).map(Number)]);
    times.set(place, (times.get(place) ?? new Set()).add(timestamp));
  }
  return [...all].map(([place, numbers]) => `${place} ${numbers.sort((a, b) => a - b).join()}${timeOf(times.get(place)!)}`).sort();
}

const timeOf = (times: ReadonlySet<number>): string => (times.size === 1 ? ` at ${[...times].join()}` : "");
