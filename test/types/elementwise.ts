// Compiled by `npm run verify`, never executed: what the type checker must infer and refuse.
import {
  combinePerKey,
  countPerElement,
  countPerKey,
  create,
  filter,
  fixed,
  flatMap,
  flatten,
  groupByKey,
  keys,
  map,
  maxGlobally,
  meanFn,
  minutes,
  type PCollection,
  type Pipeline,
  reshuffle,
  sumFn,
  sumGlobally,
  sumPerKey,
  values,
  windowInto,
  withKeys,
  withTimestamps,
  combineGlobally,
  type KV,
} from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

declare const p: Pipeline;
declare const numbers: PCollection<number>;
declare const mixed: PCollection<number | string>;
declare const pairs: PCollection<KV<string, number>>;

// Twenty transforms, and not one annotation.
const chain = p
  .apply(create(["a b", "c"]))
  .apply(map((line) => ({ line, length: line.length })))
  .apply(filter(({ length }) => length > 0))
  .apply(withTimestamps(({ length }) => length))
  .apply(windowInto(fixed(minutes(1))))
  .apply(flatMap(({ line }) => line.split(" ")))
  .apply(map("lower", (word) => word.toLowerCase()))
  .apply(filter("not empty", (word) => word !== ""))
  .apply(countPerElement())
  .apply(map(async ({ key, value }, { timestamp }) => [key.length, value, timestamp] as const))
  .apply(withKeys(([length]) => length))
  .apply(groupByKey())
  .apply(map(({ key, value }) => ({ key: BigInt(key), value: [...value].map(([, n]) => n) })))
  .apply(flatMap(async ({ key, value }) => value.map((n) => ({ key, value: n }))))
  .apply(sumPerKey())
  .apply(reshuffle())
  .apply(combinePerKey(meanFn))
  .apply(values())
  .apply(combineGlobally((a, b) => Math.max(a, b)))
  .apply((maxima) => maxima.apply(map((n) => ({ max: n }))));
expectType<Equal<typeof chain, PCollection<{ max: number }>>>(true);

// Each family by itself.
const strings = numbers.apply(map((n) => String(n)));
expectType<Equal<typeof strings, PCollection<string>>>(true);
const awaited = numbers.apply(map(async (n) => [n]));
expectType<Equal<typeof awaited, PCollection<number[]>>>(true);
const words = strings.apply(flatMap((s) => s.match(/\w+/gu) ?? []));
expectType<Equal<typeof words, PCollection<string>>>(true);
const generated = numbers.apply(
  flatMap(function* (n) {
    yield n;
    yield n * 2;
  }),
);
expectType<Equal<typeof generated, PCollection<number>>>(true);
const generatedLater = numbers.apply(
  flatMap(async function* (n) {
    yield String(n);
  }),
);
expectType<Equal<typeof generatedLater, PCollection<string>>>(true);
const kept = numbers.apply(filter(async (n) => n > 1));
expectType<Equal<typeof kept, PCollection<number>>>(true);
const keyed = words.apply(withKeys("by length", (word) => word.length));
expectType<Equal<typeof keyed, PCollection<KV<number, string>>>>(true);
const grouped = keyed.apply(groupByKey());
expectType<Equal<typeof grouped, PCollection<KV<number, Iterable<string>>>>>(true);
const counts = keyed.apply(countPerKey());
expectType<Equal<typeof counts, PCollection<KV<number, number>>>>(true);
const onlyKeys = pairs.apply(keys());
expectType<Equal<typeof onlyKeys, PCollection<string>>>(true);
const summed = pairs.apply(combinePerKey(sumFn));
expectType<Equal<typeof summed, PCollection<KV<string, number>>>>(true);
const reduced = pairs.apply(combinePerKey("longest", (a, b) => Math.max(a, b)));
expectType<Equal<typeof reduced, PCollection<KV<string, number>>>>(true);
const merged = p.apply(flatten([numbers, p.apply(create([1, 2]))]));
expectType<Equal<typeof merged, PCollection<number>>>(true);
const greatest = words.apply(maxGlobally());
expectType<Equal<typeof greatest, PCollection<string>>>(true);
const means = numbers.apply(combineGlobally(meanFn));
expectType<Equal<typeof means, PCollection<number>>>(true);

// A PCollection gives its elements and takes none.
const wider: PCollection<string | number> = numbers;
void wider;
// @ts-expect-error a narrower element type needs a filter
const narrower: PCollection<1> = numbers;
void narrower;

// @ts-expect-error groupByKey needs keys
numbers.apply(groupByKey());
// @ts-expect-error combinePerKey needs keys
numbers.apply(combinePerKey(sumFn));
// @ts-expect-error sumPerKey needs keys
numbers.apply(sumPerKey());
// @ts-expect-error some of the elements are not numbers
mixed.apply(sumGlobally());
// @ts-expect-error sumPerKey needs numbers
keyed.apply(sumPerKey());
// @ts-expect-error the values are strings, the combiner adds numbers
keyed.apply(combinePerKey(sumFn));
// @ts-expect-error a number has no length
numbers.apply(map((n) => n.length));
// @ts-expect-error a number cannot be iterated
numbers.apply(flatMap((n) => n));
// @ts-expect-error a predicate returns a boolean
numbers.apply(filter(() => "yes"));
// @ts-expect-error a predicate resolves to a boolean
numbers.apply(filter(async (n) => n));
// @ts-expect-error a timestamp is a number
numbers.apply(withTimestamps((n) => new Date(n)));
// @ts-expect-error the context has no such member
numbers.apply(map((n, { watermark }) => watermark));
// @ts-expect-error a source is applied to the pipeline
numbers.apply(create([1]));
// @ts-expect-error a transform of PCollections is not a source
p.apply(map((n) => n));

// A filter that is a type guard gives the narrower type, whether its author says that it is one or the compiler sees it.
const texts = mixed.apply(filter((value): value is string => typeof value === "string"));
expectType<Equal<typeof texts, PCollection<string>>>(true);
const seen = mixed.apply(filter("numbers", (value) => typeof value === "number"));
expectType<Equal<typeof seen, PCollection<number>>>(true);
const unguarded = mixed.apply(filter(async (value) => typeof value === "string"));
expectType<Equal<typeof unguarded, PCollection<string | number>>>(true);
// @ts-expect-error a guard cannot tell of another type than the elements have
numbers.apply(filter((value): value is string => value > 0));

// A grouping has one output, or two.
const { groups, late } = pairs.apply(groupByKey({ late: true }));
expectType<Equal<typeof groups, PCollection<KV<string, Iterable<number>>>>>(true);
expectType<Equal<typeof late, PCollection<KV<string, number>>>>(true);
const named = pairs.apply(groupByKey("by name", { late: true }));
expectType<Equal<typeof named.late, PCollection<KV<string, number>>>>(true);
const only = pairs.apply(groupByKey("alone"));
expectType<Equal<typeof only, PCollection<KV<string, Iterable<number>>>>>(true);
