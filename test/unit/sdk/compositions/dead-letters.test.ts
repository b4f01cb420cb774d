// `withFailures` around every transform of the SDK that takes a function: what it catches, and what it refuses to. Catches transforms that nobody has thought of.
import assert from "node:assert/strict";
import { runPipeline } from "../../../../local/testing.js";
import { PipelineError } from "../../../../portability/stage-host/index.js";
import * as compositions from "../../../../sdk/compositions/index.js";
import * as rows from "../../../../sdk/rows/index.js";
import * as transforms from "../../../../sdk/transforms/index.js";
import {
  create,
  jsonLines,
  kv,
  map,
  output,
  schema,
  textIO,
  value,
  withFailures,
  withKeys,
  type KV,
  type PCollection,
  type Pipeline,
  type PTransform,
} from "../../../../sdk/index.js";

/** What every function here does: 3 is what none can cope with. */
const noThree = (n: number): number => {
  if (n === 3) throw new RangeError("no three");
  return n;
};

const Numbers = schema.row({ n: schema.double });
type Numbered = { readonly n: number };
const t = transforms;
const c = compositions;

/** Takes 1 to 4, fails for 3, and what it puts out of the others. */
type Case<T> = readonly [transform: PTransform<PCollection<T>, unknown>, expected: readonly unknown[]];
const caught: Readonly<Record<string, Case<number>>> = {
  map: [t.map(noThree), [1, 2, 4]],
  flatMap: [t.flatMap((n: number) => [noThree(n), -n]), [1, -1, 2, -2, 4, -4]],
  filter: [t.filter((n: number) => noThree(n) > 1), [2, 4]],
  withKeys: [t.withKeys((n: number) => noThree(n)), [kv(1, 1), kv(2, 2), kv(4, 4)]],
  withTimestamps: [t.withTimestamps((n: number) => noThree(n)), [1, 2, 4]],
  parDo: [t.parDo({ process: (n: number) => [noThree(n)] }), [1, 2, 4]],
  partition: [t.partition(["low", "high"], (n: number) => (noThree(n) < 3 ? "low" : "high")), [1, 2, 4]],
  distinct: [t.distinct((n: number) => noThree(n)), [1, 2, 4]],
  deduplicate: [c.deduplicate({ by: (n: number) => noThree(n), durationMs: 5 }), [1, 2, 4]],
  requestResponse: [c.requestResponse(async (n: number) => await Promise.resolve(noThree(n)), { retry: { attempts: 1 } }), [1, 2, 4]],
  enrich: [
    c.enrich(async (n: number) => await Promise.resolve(noThree(n)), { retry: { attempts: 1 } }),
    [
      [1, 1],
      [2, 2],
      [4, 4],
    ],
  ],
  toText: [t.toText(), ["1", "2", "3", "4"]],
  toJson: [t.toJson(), ["1", "2", "3", "4"]],
};
const ofKeyed: Readonly<Record<string, Case<KV<string, number>>>> = {
  orderedPerKey: [
    c.orderedPerKey({ sequenceOf: (n: number) => noThree(n), initial: 1 }),
    [kv("k", 1), kv("k", 2), kv("k", { value: 4, sequence: 4, reason: "gap" })],
  ],
};
const ofRows: Readonly<Record<string, Case<Numbered>>> = {
  "rows.add": [
    rows.add("m", schema.double, ({ n }: Numbered) => noThree(n)) as PTransform<PCollection<Numbered>, unknown>,
    [1, 2, 4].map((n) => ({ n, m: n })),
  ],
  "rows.as": [
    rows.as(schema.row({ n: schema.double, missing: schema.nullable(schema.double) })) as PTransform<PCollection<Numbered>, unknown>,
    [],
  ],
  "rows.validate": [rows.validate(rows.toStandard(Numbers)), [1, 2, 3, 4].map((n) => ({ n }))],
};

/** What has no single element to blame, and what it says then. */
const refused: Readonly<Record<string, readonly [PTransform<PCollection<never>, unknown>, RegExp]>> = {
  combineGlobally: [t.combineGlobally((a: number, b: number) => a + b), /combines elements/],
  "combineGlobally with fan-out": [t.combineGlobally((a: number, b: number) => a + b, { hotKeyFanout: 3 }), /combines elements/],
  combinePerKey: [t.combinePerKey((a: number, b: number) => a + b), /combines elements/],
  "combinePerKey with fan-out": [t.combinePerKey((a: number, b: number) => a + b, { hotKeyFanout: () => 3 }), /combines elements/],
  topGlobally: [t.topGlobally(1, (a: number, b: number) => a - b), /combines elements/],
  topPerKey: [t.topPerKey(1, (a: number, b: number) => a - b), /combines elements/],
  smallestGlobally: [t.smallestGlobally(1, (a: number, b: number) => a - b), /combines elements/],
  smallestPerKey: [t.smallestPerKey(1, (a: number, b: number) => a - b), /combines elements/],
  statefulParDo: [
    t.statefulParDo({ state: { last: value<number>() }, outputs: output<number>(), process: () => [] }),
    /half changed: catch in its functions/,
  ],
  splittableParDo: [
    t.splittableParDo({ restriction: () => t.offsetRange(0, 1), process: () => undefined }),
    /no function for each element/,
  ],
  watch: [t.watch({ poll: () => [], everyMs: 1 }) as PTransform<PCollection<never>, unknown>, /no function for each element/],
  windowInto: [t.windowInto(t.fixed(1)), /no function for each element/],
  tee: [t.tee(() => undefined), /no function for each element/],
  "textIO.write": [textIO.write("out/x"), /no function for each element/],
  "jsonLines.write": [jsonLines.write("out/*.x", { destination: String }), /no function for each element/],
  withFailures: [withFailures(map(noThree)), /no function for each element/],
};

/** Those that take no function, or are no transforms of PCollections. */
const without = new Set(
  (
    "batchElements coGroupByKey countFn countGlobally countPerElement countPerKey create distinct flatten fromBinary fromJson fullJoin groupByKey impulse innerJoin " +
    "keys kvSwap latestGlobally latestPerKey leftJoin rightJoin maxFn maxGlobally maxPerKey meanFn meanGlobally meanPerKey minFn minGlobally minPerKey sumFn " +
    "sumGlobally sumPerKey of output periodicImpulse reifyTimestamps reifyTimestampsOfValues reifyWindows reshuffle sampleAny sampleFn sampleGlobally samplePerKey " +
    "sequence exceptAll exceptDistinct intersectAll intersectDistinct unionAll unionDistinct naturalOrder topFn calendarDays calendarMonths calendarWeeks " +
    "calendarYears days fixed global hours minutes seconds sessions sliding windowFn asIterable asList asMap asMultimap asSingleton afterAll afterAny afterCount " +
    "afterDelay afterEach afterEachElement afterWatermark never orFinally repeatedly unboundedSource eventTime ingestionTime processingTime values withCoder " +
    "approximateQuantilesFn approximateQuantilesGlobally approximateQuantilesPerKey approximateUniqueFn approximateUniqueGlobally approximateUniquePerKey " +
    "groupIntoBatches intervalJoin RequestTimeoutError joinByKey refreshed manualWatermark monotonicWatermark wallTimeWatermark offsetRange offsetRangeTracker"
  ).split(" "),
);
const rowsWithout = new Set(
  "aggregate approximateUnique combine count drop groupBy join max mean min rename schemaFrom schemaOf select sum toStandard".split(" "),
);

/** All that a transform puts out, and the elements that it failed for. */
async function outcomeOf<T>(
  transform: PTransform<PCollection<T>, unknown>,
  input: (p: Pipeline) => PCollection<T>,
): Promise<{ outputs: unknown[]; failures: unknown[] }> {
  const outputs: unknown[] = [];
  const failures = await runPipeline((p) => {
    const guarded = input(p).apply(withFailures(transform));
    const all = guarded.output as PCollection<unknown> | Readonly<Record<string, PCollection<unknown>>>;
    const each =
      "apply" in all && typeof all.apply === "function"
        ? { out: all as PCollection<unknown> }
        : (all as Readonly<Record<string, PCollection<unknown>>>);
    for (const [name, one] of Object.entries(each)) one.apply(map(`put out ${name}`, (element) => void outputs.push(element)));
    return guarded.failures.apply(map(({ element, error }) => ({ element, error: `${error.name}: ${error.message}` })));
  });
  return { outputs, failures };
}

const sorted = (all: readonly unknown[]): string[] => all.map((each) => JSON.stringify(each)).sort();
const error = "RangeError: no three";

describe("withFailures, around every transform that takes a function", () => {
  const numbers = (p: Pipeline): PCollection<number> => p.apply(create([1, 2, 3, 4]));
  const fails = (name: string): boolean => !["toText", "toJson", "rows.validate"].includes(name);

  for (const [name, [transform, expected]] of Object.entries(caught))
    it(`catches what ${name} fails for`, async () => {
      const { outputs, failures } = await outcomeOf(transform, numbers);
      assert.deepEqual(sorted(outputs), sorted(expected));
      assert.deepEqual(failures, fails(name) ? [{ element: 3, error }] : []);
    });
  for (const [name, [transform, expected]] of Object.entries(ofKeyed))
    it(`catches what ${name} fails for`, async () => {
      const { outputs, failures } = await outcomeOf(transform, (p) => numbers(p).apply(withKeys(() => "k")));
      assert.deepEqual(sorted(outputs), sorted(expected));
      assert.deepEqual(failures, [{ element: kv("k", 3), error }]);
    });
  for (const [name, [transform, expected]] of Object.entries(ofRows))
    it(`catches what ${name} fails for`, async () => {
      const { outputs, failures } = await outcomeOf(transform, (p) =>
        p.apply(create([1, 2, 3, 4].map((n) => ({ n })))).apply(rows.as(Numbers)),
      );
      assert.deepEqual(sorted(outputs), sorted(expected));
      if (name === "rows.as") assert.equal(failures.length, 4);
      else assert.deepEqual(failures, fails(name) ? [{ element: { n: 3 }, error }] : []);
    });

  for (const [name, [transform, message]] of Object.entries(refused))
    it(`refuses ${name}, and says why`, () => {
      assert.throws(
        () => withFailures(transform),
        (cause) => cause instanceof PipelineError && cause.code === "not_one_function" && message.test(cause.message),
      );
    });

  it("catches texts that are no JSON, rows that are not valid, and texts for regular expressions", async () => {
    const texts = (p: Pipeline): PCollection<string> => p.apply(create(["1", "?"]));
    const json = await outcomeOf(t.fromJson(), texts);
    assert.deepEqual([json.outputs, json.failures.length], [[1], 1]);
    const valid = await outcomeOf(rows.validate(rows.toStandard(Numbers)), (p) => p.apply(create<unknown>([{ n: 1 }, { n: "1" }])));
    assert.deepEqual([valid.outputs, valid.failures.length], [[{ n: 1 }], 1]);
    for (const one of [t.regex.find(/\d/), t.regex.split(/,/), t.regex.matches(/\d/)])
      assert.deepEqual((await outcomeOf(one, texts)).failures, []);
  });

  it("refuses an output of the transform's own that is called so", () => {
    const build = runPipeline((p) => ({ ...numbers(p).apply(withFailures(t.partition(["failures"], () => "failures"))).output }));
    return assert.rejects(build, (cause) => cause instanceof PipelineError && cause.code === "duplicate_output");
  });

  it("knows every transform", () => {
    const namesOf = (module: object): string[] =>
      Object.entries(module).flatMap(([name, each]) => (typeof each === "function" ? [name] : []));
    const cases = new Set([caught, ofKeyed, refused].flatMap((table) => Object.keys(table)));
    for (const name of [...namesOf(transforms), ...namesOf(compositions)])
      assert.ok(cases.has(name) || without.has(name), `${name} is in no table`);
    for (const name of namesOf(rows)) assert.ok(`rows.${name}` in ofRows || rowsWithout.has(name), `rows.${name} is in no table`);
  });
});
