// Combining before the grouping against combining everything at once, for elements of several windows. Catches elements that are missed or
// counted twice where slices give way to windows, sessions that do not end up as they would by themselves, and accumulators that several windows share although one may change them.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import { ElementMeta, IntervalWindow, kv, NO_FIRING, type KV, type Window } from "../../../portability/values/index.js";
import { mergeOverlapping } from "../../../portability/windows/index.js";
import type { AsyncCombineFn } from "../../../sdk/model/combine-fn.js";
import type { OperatorScope } from "../../../sdk/harness/operator.js";
import { precombineOperator } from "../../../sdk/harness/precombine-operator.js";

const scope = {
  name: "combine",
  stopped: () => false,
  waits: () => undefined,
  userError: (action: string) => new Error(action),
  fail: (error: Error) => assert.fail(error),
} as unknown as OperatorScope;

interface Bag {
  items: number[];
}
/** An accumulator that merging changes, as it may. */
const merged = (left: Bag, right: Bag): Bag => {
  left.items.push(...right.items);
  return left;
};
const bagOf = (...items: number[]): Bag => ({ items });

/** How inputs are combined into lists; the sum of all that has been put in, where it cannot be changed. */
type Combine = AsyncCombineFn<number, unknown, unknown>;
const fns: Readonly<Record<string, Combine>> = {
  numbers: {
    createAccumulator: () => 0,
    addInput: (sum, n) => (sum as number) + n,
    mergeAccumulators: (a, b) => (a as number) + (b as number),
    extractOutput: (sum) => sum,
  },
  objects: {
    createAccumulator: () => bagOf(),
    addInput: (bag, n) => merged(bag as Bag, bagOf(n)),
    mergeAccumulators: (a, b) => merged(a as Bag, b as Bag),
    extractOutput: (bag) => sumOf((bag as Bag).items),
  },
  "numbers, then objects": {
    createAccumulator: () => 0,
    addInput: (acc, n) =>
      typeof acc === "number" && acc < 20 ? acc + n : merged(typeof acc === "number" ? bagOf(acc) : (acc as Bag), bagOf(n)),
    mergeAccumulators: (a, b) => merged(typeof a === "number" ? bagOf(a) : (a as Bag), typeof b === "number" ? bagOf(b) : (b as Bag)),
    extractOutput: (acc) => (typeof acc === "number" ? acc : sumOf((acc as Bag).items)),
  },
  promises: {
    createAccumulator: () => 0,
    addInput: (sum, n) => (n % 3 === 0 ? (sum as number) + n : Promise.resolve((sum as number) + n)),
    mergeAccumulators: (a, b) => (a as number) + (b as number),
    extractOutput: (sum) => sum,
  },
};
const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const windows = [0, 1, 2, 3].map((n) => new IntervalWindow(n, n + 3));
/** The same windows are the same array for some elements, and another one for others, as window functions have it. */
const places: readonly (readonly Window[])[] = [[windows[0]], [windows[0], windows[1]], windows.slice(0, 2), windows.slice(1), windows];
const element = fc.record({ key: fc.constantFrom("a", "b", 3), n: fc.integer({ min: 1, max: 9 }), place: fc.constantFrom(...places) });

describe("precombining elements of several windows", () => {
  for (const [name, fn] of Object.entries(fns))
    it(`gives each window what it would get by itself, with accumulators that are ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(element, { maxLength: 20 }), { maxLength: 4 }),
          fc.integer({ min: 1, max: 5 }),
          async (bundles, limit) => {
            const grouped = new Map<string, unknown[]>();
            const emit = (value: unknown, meta: ElementMeta): void => {
              const { key, value: accumulator } = value as KV<unknown, unknown>;
              for (const window of meta.windows) {
                const place = `${String(key)} ${String(window)}`;
                grouped.set(place, [...(grouped.get(place) ?? []), accumulator]);
              }
            };
            const operator = precombineOperator(fn as AsyncCombineFn<unknown, unknown, unknown>, new ValueCoder(), emit, scope, { limit });
            const expected = new Map<string, number>();
            for (const bundle of bundles) {
              for (const { key, n, place } of bundle) {
                operator.receive(kv(key, n), new ElementMeta(2, place, NO_FIRING));
                await operator.blocked?.();
                for (const window of place) expected.set(`${key} ${String(window)}`, (expected.get(`${key} ${String(window)}`) ?? 0) + n);
              }
              await operator.finishBundle?.();
            }
            const actual = new Map<string, unknown>();
            for (const [place, accumulators] of grouped)
              actual.set(place, fn.extractOutput(accumulators.reduce((a, b) => fn.mergeAccumulators(a, b))));
            assert.deepEqual(actual, expected);
          },
        ),
        { numRuns: 300 },
      );
    });
});

describe("precombining elements of sessions", () => {
  const spans = fc.record({ key: fc.constantFrom("a", 3), n: fc.integer({ min: 1, max: 9 }), start: fc.integer({ min: 0, max: 60 }) });
  for (const [name, fn] of Object.entries(fns))
    it(`gives each session what all its elements give, with accumulators that are ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(spans, { maxLength: 20 }), { maxLength: 4 }),
          fc.integer({ min: 1, max: 5 }),
          async (bundles, limit) => {
            const parts: { key: unknown; window: Window; accumulator: unknown; timestamp: number }[] = [];
            const emit = (value: unknown, { windows: [window], timestamp }: ElementMeta): void => {
              const { key, value: accumulator } = value as KV<unknown, unknown>;
              parts.push({ key, window, accumulator, timestamp });
            };
            const prefer = (candidate: number, current: number): boolean => candidate < current;
            const operator = precombineOperator(fn as AsyncCombineFn<unknown, unknown, unknown>, new ValueCoder(), emit, scope, {
              limit,
              prefer,
              sessions: true,
            });
            for (const bundle of bundles) {
              for (const { key, n, start } of bundle) {
                operator.receive(kv(key, n), new ElementMeta(start, [new IntervalWindow(start, start + 5)], NO_FIRING));
                await operator.blocked?.();
              }
              await operator.finishBundle?.();
            }
            for (const key of ["a", 3]) {
              const own = parts.filter((part) => part.key === key);
              const elements = bundles
                .flat()
                .filter((each) => each.key === key)
                .sort((a, b) => a.start - b.start);
              const sessions = elements.flatMap(({ start }, i) => (i > 0 && start < elements[i - 1].start + 5 ? [] : [start]));
              for (const [i, start] of sessions.entries()) {
                const until = sessions[i + 1] ?? Infinity;
                const inside = own.filter(
                  ({ window }) => (window as IntervalWindow).start >= start && (window as IntervalWindow).start < until,
                );
                const expected = elements.filter((each) => each.start >= start && each.start < until);
                const accumulators = inside.map(({ accumulator }) => accumulator);
                assert.equal(
                  fn.extractOutput(accumulators.reduce((a, b) => fn.mergeAccumulators(a, b))),
                  sumOf(expected.map(({ n }) => n)),
                );
                const { into } = mergeOverlapping([...inside.map(({ window }) => window), new IntervalWindow(start, start + 1)])[0];
                assert.equal(String(into), `[${start}, ${expected[expected.length - 1].start + 5})`);
                assert.equal(Math.min(...inside.map(({ timestamp }) => timestamp)), start);
              }
            }
          },
        ),
        { numRuns: 300 },
      );
    });
});
