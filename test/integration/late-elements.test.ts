// What comes too late, where a grouping keeps it. Catches elements that are lost, or are both in a group and late, late outputs that are in
// the wrong window or have another timestamp, and counts that differ from what came out.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  afterCount,
  asSingleton,
  create,
  fixed,
  flatMap,
  flatten,
  global,
  groupByKey,
  kv,
  map,
  pipeline,
  reifyWindows,
  run,
  sessions,
  sliding,
  windowInto,
  type KV,
  type PCollection,
  type RunMetrics,
  type WindowFn,
  type WindowOptions,
} from "../../sdk/index.js";
import { testStream, type TestStream } from "../../sdk/testing/index.js";
import { local } from "../../local/index.js";

type Keyed = KV<string, number>;
type Windowing = readonly [windowFn: WindowFn, options?: WindowOptions];

/** An element and the window that it was in. */
type Place = readonly [key: string, value: number, start: number, timestamp?: number];

interface Outcome {
  readonly grouped: Place[];
  readonly late: Place[];
  readonly dropped: number;
  readonly closed: number;
}

const startOf = (window: unknown): number => (window as { readonly start?: number }).start ?? 0;
const sorted = (places: readonly Place[]): Place[] => [...places].sort((a, b) => a[1] - b[1] || a[2] - b[2]);

async function outcomeOf(
  script: TestStream<Keyed>,
  windowing: Windowing,
  runtime: { readonly shuffleSeed?: number } = {},
): Promise<Outcome> {
  const grouped: Place[] = [];
  const seen: Place[] = [];
  const definition = pipeline((p) => {
    const input = p.apply(script).apply(windowInto(...windowing));
    const { groups, late } = input.apply(groupByKey({ late: true }));
    groups
      .apply(reifyWindows())
      .apply(
        map(({ value: { key, value }, window }) => void grouped.push(...[...value].map((each) => [key, each, startOf(window)] as const))),
      );
    late
      .apply(reifyWindows())
      .apply(map(({ value: { key, value }, window, timestamp }) => void seen.push([key, value, startOf(window), timestamp])));
  });
  const { components } = await run(definition, {}, local({ runtime }));
  const sum = (name: keyof RunMetrics["components"][number]): number => components.reduce((total, each) => total + Number(each[name]), 0);
  return { grouped: sorted(grouped), late: sorted(seen), dropped: sum("droppedLate"), closed: sum("droppedClosed") };
}

describe("late elements", () => {
  it("of expired windows come out with their own timestamps and windows, and are counted", async () => {
    const script = testStream<Keyed>().at(1, kv("a", 1)).watermark(20).late(2, kv("a", 2)).at(21, kv("a", 3)).late(13, kv("b", 4)).end();
    assert.deepEqual(await outcomeOf(script, [fixed(10)]), {
      grouped: [
        ["a", 1, 0],
        ["a", 3, 20],
      ],
      late: [
        ["a", 2, 0, 2],
        ["b", 4, 10, 13],
      ],
      dropped: 2,
      closed: 0,
    });
  });

  it("are late in some windows and in time in others", async () => {
    const script = testStream<Keyed>().watermark(12).late(7, kv("a", 1)).end();
    const { grouped, late } = await outcomeOf(script, [sliding({ size: 10, every: 5 })]);
    assert.deepEqual(grouped, [["a", 1, 5]]);
    assert.deepEqual(late, [["a", 1, 0, 7]]);
  });

  it("are not late within the allowed lateness, and so it is for sessions", async () => {
    const script = testStream<Keyed>().at(0, kv("a", 1)).watermark(12).late(3, kv("a", 2)).watermark(40).late(3, kv("a", 3)).end();
    const { grouped, late } = await outcomeOf(script, [sessions(5), { allowedLatenessMs: 10 }]);
    assert.deepEqual(
      grouped.map(([, value]) => value),
      [1, 2],
    );
    assert.deepEqual(late, [["a", 3, 3, 3]]);
  });

  it("are those of finished triggers too, which need no other leave then", async () => {
    const script = testStream<Keyed>().at(0, kv("a", 1)).at(1, kv("a", 2), kv("a", 3)).end();
    const { grouped, late, dropped, closed } = await outcomeOf(script, [global(), { trigger: afterCount(1) }]);
    assert.deepEqual([grouped.length, late.length, dropped, closed], [1, 2, 0, 2]);
  });

  it("go where side inputs are read, and to transforms that read groups as well", async () => {
    const words: string[] = [];
    const definition = pipeline((p) => {
      const script = testStream<Keyed>().at(0, kv("a", 1)).watermark(10).late(0, kv("a", 2)).end();
      const { groups, late } = p
        .apply(script)
        .apply(windowInto(fixed(10)))
        .apply(groupByKey({ late: true }));
      const inGroups: PCollection<Keyed> = groups.apply(flatMap(({ key, value }) => [...value].map((each) => kv(key, each))));
      const unit = asSingleton(p.apply(create(["pieces"])));
      p.apply(flatten([inGroups, late])).apply(map(({ value }, { unit: name }) => void words.push(`${value} ${name}`), { with: { unit } }));
    });
    await run(definition, {}, local());
    assert.deepEqual(words.sort(), ["1 pieces", "2 pieces"]);
  });

  it("cost nothing where nobody reads them, and are all there is where nobody reads groups", async () => {
    const script = testStream<Keyed>().at(0, kv("a", 1)).watermark(10).late(0, kv("a", 2)).end();
    const late: number[] = [];
    const definition = pipeline((p) => {
      const input = p.apply(script).apply(windowInto(fixed(10)));
      input.apply(groupByKey("unread", { late: true })).groups.apply(map(() => undefined));
      input.apply(groupByKey("read", { late: true })).late.apply(map(({ value }) => void late.push(value)));
    });
    await run(definition, {}, local());
    assert.deepEqual(late, [2]);
  });

  it("and groups have each element and window exactly once, whatever bundles there are", async () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.record({ key: fc.constantFrom("a", "b"), at: fc.integer({ min: 0, max: 50 }) }) },
      { weight: 1, arbitrary: fc.record({ by: fc.integer({ min: 1, max: 20 }) }) },
    );
    const windowings = fc.constantFrom<Windowing>(
      [fixed(10)],
      [fixed(10), { allowedLatenessMs: 7 }],
      [sliding({ size: 12, every: 5 })],
      [fixed(10), { trigger: afterCount(2) }],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), windowings, fc.integer(), async (events, windowing, shuffleSeed) => {
        const script = testStream<Keyed>();
        const expected: Place[] = [];
        let watermark = 0;
        for (const each of events)
          if ("by" in each) script.watermark((watermark += each.by));
          else {
            const value = expected.length;
            script.at(each.at, kv(each.key, value));
            for (const window of windowing[0].assign(each.at)) expected.push([each.key, value, startOf(window)]);
          }
        const { grouped, late, dropped, closed } = await outcomeOf(script, windowing, { shuffleSeed });
        assert.deepEqual(sorted([...grouped, ...late.map(([key, value, start]) => [key, value, start] as const)]), sorted(expected));
        assert.equal(dropped + closed, late.length);
      }),
      { numRuns: 60 },
    );
  });
});
