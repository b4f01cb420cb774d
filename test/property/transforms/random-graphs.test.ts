// Random pipelines of the SDK's transforms against what they mean on plain arrays (test/support/reference.ts), elements and windows
// alike, with bundles of any size. Catches whatever goes wrong between authoring and grouping that a hand-written pipeline misses.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  asList,
  asMultimap,
  batchElements,
  coGroupByKey,
  combinePerKey,
  countPerElement,
  countPerKey,
  create,
  distinct,
  exceptAll,
  filter,
  fixed,
  flatMap,
  flatten,
  fromJson,
  fullJoin,
  global,
  GlobalWindow,
  groupByKey,
  intersectAll,
  IntervalWindow,
  keys,
  kvSwap,
  map,
  maxPerKey,
  meanPerKey,
  minPerKey,
  partition,
  pipeline,
  regex,
  reifyWindows,
  reshuffle,
  rows,
  run,
  schema,
  sessions,
  sliding,
  sumFn,
  sumPerKey,
  tee,
  toJson,
  toText,
  topPerKey,
  unionDistinct,
  values,
  windowInto,
  withKeys,
  withTimestamps,
  Pipeline,
  type PCollection,
  type WindowFn,
} from "../../../sdk/index.js";
import { local } from "../../../local/index.js";
import {
  assignWindows,
  canonicalItems,
  flatMapItems,
  group,
  items,
  perWindow,
  stamp,
  type Item,
  type WindowKind,
} from "../../support/reference.js";

/** A PCollection of numbers, and what should be in it. */
interface Pair {
  readonly made: PCollection<number>;
  readonly meant: readonly Item<number>[];
  readonly windowing: WindowKind;
  /** Whether its windows have merged already. */
  readonly merged: boolean;
}

const windowFnOf = (kind: WindowKind): WindowFn => {
  switch (kind.kind) {
    case "global":
      return global();
    case "fixed":
      return fixed(kind.size);
    case "sliding":
      return sliding(kind);
    case "sessions":
      return sessions(kind.gap);
  }
};

const flattenOf = <T>(all: readonly PCollection<T>[]): PCollection<T> => new Pipeline(all[0].graph).apply(flatten(all));
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const keyOf = (n: number): number => ((n % 3) + 3) % 3;
/** A number of a key and its values that does not depend on their order. */
const digest = (key: number, values: Iterable<number>): number => (key * 31 + sum(values) * 7 + [...values].length) % 1009;
const keyed = (meant: readonly Item<number>[]): Item<readonly [number, number]>[] => flatMapItems(meant, (n) => [[keyOf(n), n] as const]);
const merges = ({ windowing, merged }: Pair): boolean => windowing.kind === "sessions" && !merged;
/** What a grouping makes of a pair: its windows have merged. */
const grouped = ({ windowing }: Pair, made: PCollection<number>, meant: readonly Item<number>[]): Pair => ({
  made,
  meant,
  windowing,
  merged: windowing.kind === "sessions",
});
const Numbered = schema.row({ n: schema.int64, key: schema.int64 });
const asRows = (made: PCollection<number>) => made.apply(map((n) => ({ n: BigInt(n), key: BigInt(keyOf(n)) }))).apply(rows.as(Numbered));
const tally = (values: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

/** Steps with one input. */
const unary: Record<string, (pair: Pair) => Pair> = {
  map: (pair) => ({ ...pair, made: pair.made.apply(map((n) => n + 1)), meant: flatMapItems(pair.meant, (n) => [n + 1]) }),
  "async map": (pair) => ({
    ...pair,
    made: pair.made.apply(map(async (n) => Promise.resolve(n * 2), { concurrency: 3 })),
    meant: flatMapItems(pair.meant, (n) => [n * 2]),
  }),
  filter: (pair) => ({
    ...pair,
    made: pair.made.apply(filter((n) => n % 4 !== 0)),
    meant: flatMapItems(pair.meant, (n) => (n % 4 !== 0 ? [n] : [])),
  }),
  flatMap: (pair) => ({
    ...pair,
    made: pair.made.apply(flatMap((n) => (n % 2 === 0 ? [n, n + 5] : [n]))),
    meant: flatMapItems(pair.meant, (n) => (n % 2 === 0 ? [n, n + 5] : [n])),
  }),
  "look at the window": (pair) => ({
    ...pair,
    made: pair.made.apply(map((n, { window }) => n + (window instanceof IntervalWindow ? Math.abs(window.start % 3) : 0))),
    meant: perWindow(pair.meant).map(({ value, timestamp, window }) => ({
      value: value + (window[1] === Infinity ? 0 : Math.abs(window[0] % 3)),
      timestamp,
      windows: [window],
    })),
  }),
  reshuffle: (pair) => ({ ...pair, made: pair.made.apply(reshuffle()) }),
  partition: (pair) => ({
    ...pair,
    made: pair.made.apply(partition(["few", "many"], (n) => (n < 50 ? "few" : "many"))).few,
    // A ParDo may look at its window, so it is given each window of an element by itself.
    meant: perWindow(pair.meant).flatMap(({ value, timestamp, window }) => (value < 50 ? [{ value, timestamp, windows: [window] }] : [])),
  }),
  batchElements: (pair) => ({
    ...pair,
    made: pair.made.apply(batchElements(3)).apply(flatMap((batch) => batch)),
    meant: perWindow(pair.meant).map(({ value, window }) => ({ value, timestamp: window[1] - 1, windows: [window] })),
  }),
  groupByKey: (pair) =>
    grouped(
      pair,
      pair.made
        .apply(withKeys(keyOf))
        .apply(groupByKey())
        .apply(map(({ key, value }) => digest(key, value))),
      flatMapItems(group(keyed(pair.meant), merges(pair)), ([key, values]) => [digest(key, values)]),
    ),
  combinePerKey: (pair) =>
    grouped(
      pair,
      pair.made
        .apply(withKeys(keyOf))
        .apply(combinePerKey(sumFn))
        .apply(map(({ key, value }) => key * 100 + (value % 100))),
      flatMapItems(group(keyed(pair.meant), merges(pair)), ([key, values]) => [key * 100 + (sum(values) % 100)]),
    ),
  "combine with fan-out": (pair) =>
    merges(pair)
      ? pair // sessions of the parts of a key would merge apart
      : grouped(
          pair,
          pair.made
            .apply(withKeys(keyOf))
            .apply(combinePerKey(sumFn, { hotKeyFanout: 2 }))
            .apply(map(({ value }) => value % 100)),
          flatMapItems(group(keyed(pair.meant), false), ([, values]) => [sum(values) % 100]),
        ),
  countPerElement: (pair) =>
    grouped(
      pair,
      pair.made.apply(countPerElement()).apply(map(({ key, value }) => (key * 3 + value) % 1009)),
      flatMapItems(
        group(
          flatMapItems(pair.meant, (n) => [[n, 1] as const]),
          merges(pair),
        ),
        ([n, ones]) => [(n * 3 + ones.length) % 1009],
      ),
    ),
  distinct: (pair) =>
    grouped(
      pair,
      pair.made.apply(distinct()),
      flatMapItems(
        group(
          flatMapItems(pair.meant, (n) => [[n, n] as const]),
          merges(pair),
        ),
        ([n]) => [n],
      ),
    ),
  topPerKey: (pair) =>
    grouped(
      pair,
      pair.made
        .apply(withKeys(keyOf))
        .apply(topPerKey(2))
        .apply(flatMap(({ value }) => value)),
      flatMapItems(group(keyed(pair.meant), merges(pair)), ([, values]) => values.sort((a, b) => b - a).slice(0, 2)),
    ),
  "min, max, mean": (pair) =>
    grouped(
      pair,
      pair.made
        .apply(withKeys(keyOf))
        .apply(tee((all) => all.apply(countPerKey())))
        .apply((all) => flattenOf([all.apply(minPerKey()), all.apply(maxPerKey()), all.apply(meanPerKey()), all.apply(sumPerKey())]))
        .apply(map(({ key, value }) => (key + Math.round(value * 2)) % 1009)),
      flatMapItems(group(keyed(pair.meant), merges(pair)), ([key, values]) =>
        [Math.min(...values), Math.max(...values), sum(values) / values.length, sum(values)].map((n) => (key + Math.round(n * 2)) % 1009),
      ),
    ),
  "kvSwap, keys, values": (pair) => ({
    ...pair,
    made: pair.made
      .apply(withKeys(keyOf))
      .apply(kvSwap())
      .apply((swapped) => flattenOf([swapped.apply(keys()), swapped.apply(values())])),
    meant: flatMapItems(pair.meant, (n) => [n, keyOf(n)]),
  }),
  "texts and regex": (pair) => ({
    ...pair,
    made: pair.made
      .apply((all) => flattenOf([all.apply(toText()), all.apply(toJson())]))
      .apply(regex.find(/\d$/))
      .apply(fromJson())
      .apply(map(Number)),
    meant: flatMapItems(pair.meant, (n) => [Math.abs(n) % 10, Math.abs(n) % 10]),
  }),
  reify: (pair) => ({
    ...pair,
    made: pair.made.apply(reifyWindows()).apply(map(({ value, window }) => value + Math.abs(window.maxTimestamp % 7))),
    meant: perWindow(pair.meant).map(({ value, timestamp, window }) => ({
      value: value + Math.abs((window[1] === Infinity ? GlobalWindow.instance.maxTimestamp : window[1] - 1) % 7),
      timestamp,
      windows: [window],
    })),
  }),
  "rows of other fields": (pair) => ({
    ...pair,
    made: asRows(pair.made)
      .apply(rows.rename({ n: "number" }))
      .apply(rows.add("sum", schema.int64, ({ number, key }) => number + key))
      .apply(rows.select("sum"))
      .apply(map((row) => Number(row.sum))),
    meant: flatMapItems(pair.meant, (n) => [n + keyOf(n)]),
  }),
  "rows.groupBy": (pair) =>
    grouped(
      pair,
      asRows(pair.made)
        .apply(rows.groupBy(["key"], { size: rows.count(), total: rows.sum("n"), largest: rows.max("n") }))
        .apply(map(({ key, size, total, largest }) => Number(key * 31n + size * 7n + total * 3n + largest) % 1009)),
      flatMapItems(group(keyed(pair.meant), merges(pair)), ([key, values]) => [
        (key * 31 + values.length * 7 + sum(values) * 3 + Math.max(...values)) % 1009,
      ]),
    ),
};

const sameSpan = (a: Pair, b: Pair): boolean => JSON.stringify([a.windowing, a.merged]) === JSON.stringify([b.windowing, b.merged]);
const pairsOf = (a: Pair, b: Pair): Item<readonly [number, readonly [side: number, n: number]]>[] => [
  ...flatMapItems(a.meant, (n) => [[keyOf(n), [0, n]] as const]),
  ...flatMapItems(b.meant, (n) => [[keyOf(n), [1, n]] as const]),
];
const sideOf = (values: readonly (readonly [number, number])[], side: number): number[] =>
  values.filter(([of]) => of === side).map(([, n]) => n);
const byElement = (a: Pair, b: Pair, times: (left: number, right: number) => number): Item<number>[] => {
  const both = [...flatMapItems(a.meant, (n) => [[n, 0] as const]), ...flatMapItems(b.meant, (n) => [[n, 1] as const])];
  return flatMapItems(group(both, merges(a)), ([n, sides]) => {
    const counts = tally(sides);
    return new Array<number>(times(counts.get(0) ?? 0, counts.get(1) ?? 0)).fill(n);
  });
};

/** Steps with two inputs that are windowed alike. */
const binary: Record<string, (a: Pair, b: Pair, p: Pipeline) => Pair> = {
  flatten: (a, b, p) => ({ ...a, made: p.apply(flatten([a.made, b.made])), meant: [...a.meant, ...b.meant] }),
  coGroupByKey: (a, b, p) =>
    grouped(
      a,
      p
        .apply(coGroupByKey({ left: a.made.apply(withKeys(keyOf)), right: b.made.apply(withKeys(keyOf)) }))
        .apply(map(({ key, value: { left, right } }) => digest(digest(key, left), right))),
      flatMapItems(group(pairsOf(a, b), merges(a)), ([key, values]) => [digest(digest(key, sideOf(values, 0)), sideOf(values, 1))]),
    ),
  "rows.join": (a, b) =>
    grouped(
      a,
      asRows(a.made)
        .apply(rows.join(asRows(b.made).apply(rows.rename({ n: "other" })), ["key"]))
        .apply(map(({ n, other }) => Number(n * 5n + other) % 1009)),
      flatMapItems(group(pairsOf(a, b), merges(a)), ([, values]) =>
        sideOf(values, 0).flatMap((left) => sideOf(values, 1).map((right) => (left * 5 + right) % 1009)),
      ),
    ),
  fullJoin: (a, b) =>
    grouped(
      a,
      a.made
        .apply(withKeys(keyOf))
        .apply(fullJoin(b.made.apply(withKeys(keyOf))))
        .apply(map(({ value: [left, right] }) => ((left ?? -1) * 5 + (right ?? -2)) % 1009)),
      flatMapItems(group(pairsOf(a, b), merges(a)), ([, values]) => {
        const lefts = sideOf(values, 0);
        const rights = sideOf(values, 1);
        const orElse = (side: number[], missing: number): number[] => (side.length === 0 ? [missing] : side);
        return orElse(lefts, -1).flatMap((left) => orElse(rights, -2).map((right) => (left * 5 + right) % 1009));
      }),
    ),
  unionDistinct: (a, b) =>
    grouped(
      a,
      a.made.apply(unionDistinct(b.made)),
      byElement(a, b, () => 1),
    ),
  intersectAll: (a, b) => grouped(a, a.made.apply(intersectAll(b.made)), byElement(a, b, Math.min)),
  exceptAll: (a, b) =>
    grouped(
      a,
      a.made.apply(exceptAll(b.made)),
      byElement(a, b, (left, right) => Math.max(0, left - right)),
    ),
  "side input": (a, b) =>
    b.windowing.kind === "sessions"
      ? a // refused
      : {
          ...a,
          made: a.made.apply(
            map((n, { list, table }) => digest(n, [...list, ...(table.get(keyOf(n)) ?? [])]), {
              with: { list: asList(b.made), table: asMultimap(b.made.apply(withKeys(keyOf))) },
            }),
          ),
          meant: perWindow(a.meant).map(({ value, timestamp, window }) => {
            const side = perWindow(b.meant).filter(({ window: [start, end] }) => holdsLast(window, start, end, a.windowing));
            const values = side.map(({ value: n }) => n);
            return { value: digest(value, [...values, ...values.filter((n) => keyOf(n) === keyOf(value))]), timestamp, windows: [window] };
          }),
        },
};

/** Whether [start, end) is the window that a main element of `window` sees, where both are windowed alike. */
function holdsLast(window: readonly [number, number], start: number, end: number, windowing: WindowKind): boolean {
  if (windowing.kind !== "sliding") return start === window[0] && end === window[1];
  const last = window[1] - 1; // the window that ends first among those that hold it
  return start <= last && end > last && end - windowing.every <= last;
}

const windowKind: fc.Arbitrary<WindowKind> = fc.oneof(
  fc.constant({ kind: "global" as const }),
  fc.record({ kind: fc.constant("fixed" as const), size: fc.constantFrom(5, 7) }),
  fc.constantFrom({ kind: "sliding" as const, size: 6, every: 3 }, { kind: "sliding" as const, size: 4, every: 2 }),
  fc.record({ kind: fc.constant("sessions" as const), gap: fc.constantFrom(2, 4) }),
);
const pick = fc.nat(1000);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom(...Object.keys(unary)), pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom(...Object.keys(binary)), pick, other: pick }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("window"), pick, windowing: windowKind }) },
);
type Step = { readonly op: string; readonly pick: number; readonly other?: number; readonly windowing?: WindowKind };

function construct(p: Pipeline, numbers: readonly number[], steps: readonly Step[]): Pair[] {
  const pairs: Pair[] = [{ made: p.apply(create("start", numbers)), meant: items(numbers), windowing: { kind: "global" }, merged: false }];
  for (const { op, pick: at, other, windowing } of steps) {
    const pair = pairs[at % pairs.length];
    if (windowing !== undefined) {
      const stamped = pair.made
        .apply(withTimestamps((n) => Math.abs(n) % 30, { allowedSkewMs: Infinity }))
        .apply(windowInto(windowFnOf(windowing)));
      pairs.push({
        made: stamped,
        meant: assignWindows(
          stamp(pair.meant, (n) => Math.abs(n) % 30),
          windowing,
        ),
        windowing,
        merged: false,
      });
    } else if (other === undefined) pairs.push(unary[op](pair));
    else {
      const partners = pairs.filter((candidate) => sameSpan(candidate, pair));
      pairs.push(binary[op](pair, partners[other % partners.length], p));
    }
  }
  return pairs;
}

describe("random pipelines", () => {
  it("have the elements that they mean, in the windows that they mean", async function () {
    this.timeout(120_000);
    const graph = fc.record({
      numbers: fc.array(fc.nat(60), { maxLength: 12 }),
      steps: fc.array(step, { minLength: 1, maxLength: 7 }),
      bundleElements: fc.constantFrom(1, 3, 1000),
      channelBytes: fc.constantFrom(64, 1 << 20),
    });
    await fc.assert(
      fc.asyncProperty(graph, async ({ numbers, steps, bundleElements, channelBytes }) => {
        const found: string[][] = [];
        let meant: string[][] = [];
        const definition = pipeline((p) => {
          const pairs = construct(p, numbers, steps as readonly Step[]);
          meant = pairs.map((pair) => canonicalItems(pair.meant));
          pairs.forEach(({ made }, i) => {
            found[i] = [];
            made.apply(
              map(`keep ${i}`, (n, { window }) => {
                const span =
                  window === GlobalWindow.instance
                    ? [-Infinity, Infinity]
                    : [(window as IntervalWindow).start, (window as IntervalWindow).end];
                found[i].push(`${n} in [${span.join(", ")})`);
              }),
            );
          });
        });
        await run(definition, {}, local({ runtime: { bundleElements, channelBytes, batchBytes: channelBytes >> 2 } }));
        found.forEach((elements, i) => assert.deepEqual(elements.sort(), meant[i], `after ${i === 0 ? "start" : steps[i - 1].op}`));
      }),
      { numRuns: 300 },
    );
  });
});
