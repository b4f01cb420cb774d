// Laws of the compositions, against models that know neither state nor timers, whatever bundles there are.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteWriter, ValueCoder } from "../../../portability/coders/index.js";
import { runPipeline, testStream, testStreams, type TestStream } from "../../../local/testing.js";
import { deduplicate, fixed, groupIntoBatches, intervalJoin, kv, map, orderedPerKey, windowInto, type KV } from "../../../sdk/index.js";

const RUNS = { numRuns: 60 };

interface Arrival {
  readonly key: string;
  readonly at: number;
  /** By how much the watermark then goes on. */
  readonly watermarkBy: number;
  readonly clockBy: number;
}

/** In any order of timestamps. */
const arrivals = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    at: fc.nat(100),
    watermarkBy: fc.constantFrom(0, 0, 1, 7, 30),
    clockBy: fc.constantFrom(0, 0, 3, 20),
  }),
  { maxLength: 30 },
);
const runtimes = fc.record({ shuffleSeed: fc.option(fc.nat(1000), { nil: undefined }), bundleElements: fc.constantFrom(1, 3, 1000) });
type Runtime = { readonly shuffleSeed: number | undefined; readonly bundleElements: number };
const optionsOf = ({ shuffleSeed, bundleElements }: Runtime) => ({
  ...(shuffleSeed === undefined ? {} : { shuffleSeed }),
  runtime: { bundleElements },
});

/** The same arrivals with no late ones among them: those that would be are moved to the watermark. */
function inTime(all: readonly Arrival[]): Arrival[] {
  let watermark = 0;
  return all.map((arrival) => {
    const at = Math.max(arrival.at, watermark);
    watermark += arrival.watermarkBy;
    return { ...arrival, at };
  });
}

/** Arrivals as a stream, each with its number. */
function streamOf(all: readonly Arrival[]): TestStream<KV<string, number>> {
  const stream = testStream<KV<string, number>>().watermark(0);
  let watermark = 0;
  all.forEach(({ key, at, watermarkBy, clockBy }, i) => {
    stream.at(at, kv(key, i));
    if (watermarkBy > 0) stream.watermark((watermark += watermarkBy));
    if (clockBy > 0) stream.advanceProcessingTime(clockBy);
  });
  return stream;
}

function bytesOf(values: readonly number[]): number {
  const writer = new ByteWriter();
  for (const value of values) new ValueCoder().encode(value, writer);
  return writer.length;
}

describe("compositions, for all arrivals", () => {
  it("groupIntoBatches: batches of a key and window are its values, in order, and within the limits", async () => {
    const limits = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      bytes: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      maxBufferingMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(arrivals.map(inTime), limits, runtimes, async (all, { size, bytes, maxBufferingMs }, runtime) => {
        const options = { size, ...(bytes === undefined ? {} : { bytes }), ...(maxBufferingMs === undefined ? {} : { maxBufferingMs }) };
        const found = await runPipeline(
          (p) =>
            p
              .apply(streamOf(all))
              .apply(windowInto(fixed(25)))
              .apply(groupIntoBatches(options))
              .apply(map(({ key, value }, { window }) => ({ group: `${key} ${String(window)}`, batch: value }))),
          optionsOf(runtime),
        );
        const groups = new Map<string, number[]>();
        for (const [i, { key, at }] of all.entries()) {
          const start = Math.floor(at / 25) * 25;
          const group = `${key} [${start}, ${start + 25})`;
          groups.set(group, [...(groups.get(group) ?? []), i]);
        }
        for (const [group, values] of groups)
          assert.deepEqual(
            found.filter((each) => each.group === group).flatMap(({ batch }) => batch),
            values,
          );
        assert.equal(
          found.reduce((sum, { batch }) => sum + batch.length, 0),
          all.length,
        );
        for (const { batch } of found) {
          assert.ok(batch.length >= 1 && batch.length <= size);
          if (bytes !== undefined && batch.length > 1) assert.ok(bytesOf(batch) <= bytes);
        }
      }),
      RUNS,
    );
  });

  it("deduplicate: an element passes unless one that has passed is near", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals.map(inTime), fc.integer({ min: 1, max: 40 }), runtimes, async (all, durationMs, runtime) => {
        const found = await runPipeline(
          (p) => p.apply(streamOf(all)).apply(deduplicate({ by: ({ key }) => key, durationMs })),
          optionsOf(runtime),
        );
        const passed: number[] = [];
        for (const [i, { key, at }] of all.entries())
          if (!passed.some((other) => all[other].key === key && Math.abs(all[other].at - at) < durationMs)) passed.push(i);
        assert.deepEqual(
          found.map(({ value }) => value).sort((x, y) => x - y),
          passed,
        );
      }),
      RUNS,
    );
  });

  it("intervalJoin: its pairs are those of two nested loops, at the later timestamps", async () => {
    const interval = fc
      .record({ beforeMs: fc.integer({ min: -20, max: 40 }), afterMs: fc.integer({ min: -20, max: 40 }) })
      .filter(({ beforeMs, afterMs }) => beforeMs + afterMs >= 0);
    const sides = arrivals
      .map(inTime)
      .chain((all) => fc.tuple(fc.constant(all), fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length })));
    await fc.assert(
      fc.asyncProperty(sides, interval, runtimes, async ([all, areLeft], { beforeMs, afterMs }, runtime) => {
        const script = testStreams<{ left: KV<string, number>; right: KV<string, number> }>("left", "right")
          .watermark("left", 0)
          .watermark("right", 0);
        let watermark = 0;
        all.forEach(({ key, at, watermarkBy }, i) => {
          script.at(areLeft[i] ? "left" : "right", at, kv(key, i));
          watermark += watermarkBy;
          script.watermark("left", watermark).watermark("right", watermark);
        });
        const found = await runPipeline((p) => {
          const { left, right } = p.apply(script);
          return left
            .apply(intervalJoin(right, { beforeMs, afterMs }))
            .apply(map(({ value: [l, r] }, { timestamp }) => `${l} ${r} ${timestamp}`));
        }, optionsOf(runtime));
        const expected: string[] = [];
        for (const [l, left] of all.entries())
          for (const [r, right] of all.entries())
            if (areLeft[l] && !areLeft[r] && left.key === right.key && right.at >= left.at - beforeMs && right.at <= left.at + afterMs)
              expected.push(`${l} ${r} ${Math.max(left.at, right.at)}`);
        assert.deepEqual(found.sort(), expected.sort());
      }),
      RUNS,
    );
  });

  it("orderedPerKey: each number comes once, in order, or is named with what was wrong", async () => {
    const sequences = fc.array(fc.nat(12), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(sequences, fc.nat(6), runtimes, async (all, maxWaiting, runtime) => {
        const stream = testStream<KV<string, number>>();
        all.forEach((n, i) => stream.at(i, kv("a", n)));
        const { output, unordered } = await runPipeline((p) => {
          const ordered = p.apply(stream).apply(orderedPerKey({ sequenceOf: (n) => n, maxWaiting }));
          return { output: ordered.output, unordered: ordered.unordered };
        }, optionsOf(runtime));
        let next = 0;
        const waiting = new Set<number>();
        const repeated: number[] = [];
        const overflow: number[] = [];
        for (const n of all)
          if (n < next || waiting.has(n)) repeated.push(n);
          else if (n > next && waiting.size >= maxWaiting) overflow.push(n);
          else for (waiting.add(n); waiting.delete(next);) next++;
        const named = (reason: string) => unordered.filter(({ value }) => value.reason === reason).map(({ value }) => value.value);
        assert.deepEqual(
          output.map(({ value }) => value),
          Array.from({ length: next }, (_, n) => n),
        );
        assert.deepEqual([named("repeated"), named("overflow"), named("gap")], [repeated, overflow, [...waiting].sort((x, y) => x - y)]);
      }),
      RUNS,
    );
  });
});
