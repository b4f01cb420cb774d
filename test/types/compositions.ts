// What the compositions must infer and refuse.
import {
  deduplicate,
  enrich,
  groupIntoBatches,
  intervalJoin,
  joinByKey,
  orderedPerKey,
  partition,
  requestResponse,
  withFailures,
  type Failure,
  type KV,
  type PCollection,
  type Pipeline,
  type Unordered,
} from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

declare const p: Pipeline;
declare const numbers: PCollection<number>;
declare const sales: PCollection<KV<string, number>>;
declare const names: PCollection<KV<string, string>>;
declare const flags: PCollection<KV<string, boolean>>;

// Values in arrays, by the same keys.
const batches = sales.apply(groupIntoBatches({ size: 3 }));
expectType<Equal<typeof batches, PCollection<KV<string, number[]>>>>(true);
// @ts-expect-error elements without keys
numbers.apply(groupIntoBatches({ size: 3 }));

// The same elements; `by` sees them.
const once = numbers.apply(
  deduplicate({
    durationMs: 1,
    by(n) {
      expectType<Equal<typeof n, number>>(true);
      return n % 2;
    },
  }),
);
expectType<Equal<typeof once, PCollection<number>>>(true);

// Pairs of this and the other value.
const pairs = sales.apply(intervalJoin(names, { afterMs: 1 }));
expectType<Equal<typeof pairs, PCollection<KV<string, readonly [left: number, right: string]>>>>(true);
declare const byNumber: PCollection<KV<number, string>>;
// @ts-expect-error keys of another type
sales.apply(intervalJoin(byNumber, { afterMs: 1 }));

// Null for what is optional alone.
const joined = p.apply(joinByKey({ sale: sales, name: names, flag: flags }, { optional: ["flag", "name"] }));
expectType<
  Equal<typeof joined, PCollection<KV<string, { readonly sale: number; readonly name: string | null; readonly flag: boolean | null }>>>
>(true);
// @ts-expect-error no input of that name
p.apply(joinByKey({ sale: sales }, { optional: ["other"] }));

const { output, unordered } = sales.apply(orderedPerKey({ sequenceOf: (n) => n }));
expectType<Equal<typeof output, PCollection<KV<string, number>>>>(true);
expectType<Equal<typeof unordered, PCollection<KV<string, Unordered<number>>>>>(true);

// What the call resolves to; the cache's key sees the request.
const asked = numbers.apply(
  requestResponse(async (n) => await Promise.resolve(String(n)), { cache: { maxEntries: 1, keyOf: (n) => n % 2 } }),
);
expectType<Equal<typeof asked, PCollection<string>>>(true);
const enriched = numbers.apply(enrich((n) => Promise.resolve(n > 1)));
expectType<Equal<typeof enriched, PCollection<readonly [element: number, response: boolean]>>>(true);

// Dead letters of composites have the type of their input.
const dealt = numbers.apply(withFailures(partition(["even", "odd"], (n: number) => (n % 2 === 0 ? "even" : "odd"))));
expectType<Equal<typeof dealt.failures, PCollection<Failure<number>>>>(true);
expectType<Equal<typeof dealt.output.odd, PCollection<number>>>(true);
