// Restrictions in tasks: whatever fails, wherever bundles end and whichever task does a part, the work of all elements is done once, and
// nothing of it is late. Catches residuals that a failed bundle leaves behind or loses, and watermarks that pass work that is still to be done.
import assert from "node:assert/strict";
import fc from "fast-check";
import { inProcessLauncher, planPipeline, runJob, type JobMetrics, type RuntimeOptions } from "../../../runner/index.js";
import { EmbeddedHost } from "../../../sdk/harness/embedded-host.js";
import { Program } from "../../../sdk/harness/program.js";
import {
  asSingleton,
  create,
  fixed,
  groupByKey,
  kv,
  manualWatermark,
  map,
  offsetRange,
  output,
  pipeline,
  reshuffle,
  splittableParDo,
  windowInto,
  type KV,
} from "../../../sdk/index.js";
import { translatePipeline } from "../../../sdk/translate/translate-pipeline.js";

/** More than may fail in one run, so that no bundle fails too often. */
const ATTEMPTS = 8;

/** How a function works on its range. */
type Manner = "plain" | "async" | "generator" | "a bit at a time";

interface Outcome {
  readonly outputs: readonly string[];
  readonly metrics: JobMetrics;
  readonly failures: number;
}

async function outcomeOf(
  elements: readonly number[],
  manner: Manner,
  schedule: readonly boolean[],
  workers: number,
  runtime: Partial<RuntimeOptions>,
): Promise<Outcome> {
  const outputs: string[] = [];
  const fails = [...schedule];
  let failures = 0;
  const mayFail = (what: string): void => {
    if (fails.shift() !== true || failures === ATTEMPTS - 1) return;
    failures++;
    throw new Error(what);
  };
  const graph = pipeline((p) => {
    const parts = asSingleton(p.apply(create("parts", [3])));
    p.apply(create("elements", [...elements]))
      .apply(
        splittableParDo("work", {
          outputs: output<KV<number, string>>(),
          restriction: (n: number) => offsetRange(0, n),
          with: { parts },
          *split(n, _range, { parts: count }) {
            mayFail("split");
            for (let i = 0; i < count; i++) yield offsetRange(Math.floor((n * i) / count), Math.floor((n * (i + 1)) / count));
          },
          watermark: manualWatermark(),
          process(n, { range, emit, watermark, resume, parts: count }): void | Promise<void> | Iterable<KV<number, string>> {
            assert.equal(count, 3);
            const work = (i: number): void => {
              emit(kv(n, `${i}`), i);
              mayFail(`work ${i}`);
              watermark.set(i + 1);
            };
            switch (manner) {
              case "plain":
                for (let i = range.start; range.tryClaim(i); i++) work(i);
                return;
              case "async":
                return (async () => {
                  for (let i = range.start; range.tryClaim(i); i++) {
                    work(i);
                    await Promise.resolve();
                    mayFail(`later ${i}`);
                  }
                })();
              case "generator":
                return (function* () {
                  for (let i = range.start; range.tryClaim(i); i++) {
                    work(i);
                    yield* [];
                  }
                })();
              case "a bit at a time":
                if (range.start === range.end || !range.tryClaim(range.start)) return;
                work(range.start);
                return resume(1);
            }
          },
        }),
      )
      .apply(windowInto(fixed(10)))
      .apply(groupByKey())
      .apply(map("group", ({ key, value }, { window }) => `${key} in ${window.maxTimestamp}: ${[...value].sort().join()}`))
      .apply(reshuffle("apart"))
      .apply(map("collect", (text) => void outputs.push(text)));
  }).build({});
  const topology = planPipeline(translatePipeline(graph), { parallelism: workers });
  const launcher = inProcessLauncher(() => new EmbeddedHost(new Program(graph)));
  const metrics = await runJob(topology, { launcher, workers, runtime: { bundleAttempts: ATTEMPTS, retryDelayMs: 0, ...runtime } }).result;
  return { outputs: outputs.sort(), metrics, failures };
}

const expected = (elements: readonly number[]): string[] =>
  [...new Set(elements)]
    .flatMap((n) =>
      Array.from({ length: Math.ceil(n / 10) }, (_, window) => {
        const values = Array.from({ length: n }, (__, i) => i).filter((i) => Math.floor(i / 10) === window);
        const all = elements.filter((each) => each === n).flatMap(() => values.map(String));
        return `${n} in ${window * 10 + 9}: ${all.sort().join()}`;
      }),
    )
    .sort();

const sometimes = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const total = ({ components }: JobMetrics, of: "retries" | "droppedLate"): number =>
  components.reduce((sum, component) => sum + component[of], 0);

describe("restrictions", () => {
  for (const manner of ["plain", "async", "generator", "a bit at a time"] as const)
    for (const workers of [1, 2])
      it(`are worked on once, ${manner}, on ${workers} workers`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.nat(25), { maxLength: 5 }),
            fc.array(sometimes, { maxLength: 100, size: "max" }),
            fc.record({
              bundleElements: fc.constantFrom(1, 3, 1000),
              bundleBytes: fc.constantFrom(1 << 20, 200),
              channelBytes: fc.constantFrom(1 << 20, 64),
              shuffleSeed: fc.option(fc.nat(), { nil: undefined }),
            }),
            async (elements, schedule, { shuffleSeed, ...sizes }) => {
              const runtime = { ...sizes, ...(shuffleSeed === undefined ? {} : { shuffleSeed }) };
              const { outputs, metrics, failures } = await outcomeOf(elements, manner, schedule, workers, runtime);
              assert.deepEqual(outputs, expected(elements));
              assert.equal(total(metrics, "droppedLate"), 0);
              assert.equal(total(metrics, "retries") === 0, failures === 0);
            },
          ),
          { numRuns: workers === 1 ? 25 : 10 },
        );
      });
});
