// Atomic bundles (design D5): whatever fails, and wherever bundles end, as long as no bundle fails too often a run gives what an
// undisturbed one gives. Catches output of failed attempts that is seen, elements that a retry loses or repeats, bundles whose groups
// cannot be given again, and metrics that count failed attempts as committed.
import assert from "node:assert/strict";
import fc from "fast-check";
import { inProcessLauncher, planPipeline, runJob, type JobMetrics, type RuntimeOptions } from "../../../runner/index.js";
import { EmbeddedHost } from "../../../sdk/harness/embedded-host.js";
import { Program } from "../../../sdk/harness/program.js";
import {
  asList,
  bag,
  combining,
  counter,
  create,
  distribution,
  eventTimer,
  fixed,
  groupByKey,
  kv,
  map,
  output,
  parDo,
  pipeline,
  reshuffle,
  sliding,
  statefulParDo,
  stringSet,
  sumFn,
  windowInto,
  withKeys,
  withTimestamps,
  type KV,
  type WindowFn,
} from "../../../sdk/index.js";
import { translatePipeline } from "../../../sdk/translate/translate-pipeline.js";

/** More than may fail in one run, so that no bundle fails too often. */
const ATTEMPTS = 8;

const worked = counter("worked");
const kept = counter("kept");
const sizes = distribution("sizes");
const names = stringSet("names");

interface Outcome {
  readonly outputs: readonly string[];
  readonly metrics: JobMetrics;
  readonly failures: number;
}

/** @param schedule which call of a function that may fail does, in the order of calls */
async function outcomeOf(
  values: readonly number[],
  schedule: readonly boolean[],
  workers: number,
  runtime: Partial<RuntimeOptions>,
  windows: WindowFn = fixed(20),
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
    const limits = asList(p.apply(create("limits", [1000])));
    p.apply(create("values", [...values]))
      .apply(withTimestamps((n) => n))
      .apply(windowInto(windows))
      .apply(reshuffle("spread"))
      .apply(
        parDo("work", {
          outputs: output<number>(),
          startBundle: () => mayFail("start"),
          process(n: number, { emit }) {
            worked.inc();
            sizes.update(n);
            emit(n);
            mayFail("process");
            if (n % 3 !== 0) return emit(-n);
            return Promise.resolve().then(() => {
              emit(-n);
              mayFail("later");
            });
          },
          finishBundle: async () => {
            await Promise.resolve();
            mayFail("finish");
          },
        }),
      )
      .apply(
        map(
          "look aside",
          (n, { limits: all }) => {
            mayFail("aside");
            return n < all[0] ? n : 0;
          },
          { with: { limits } },
        ),
      )
      .apply(withKeys((n) => n % 5))
      .apply(
        statefulParDo("keep", {
          outputs: output<KV<number, number>>(),
          state: { numbers: bag(), sum: combining(sumFn) },
          timers: { flush: eventTimer() },
          with: { limits },
          process({ value }, { state, timers, window, limits: all }) {
            kept.inc();
            state.numbers.add(Math.min(value, all[0]));
            mayFail("keep");
            state.sum.add(value);
            timers.flush.set(window.maxTimestamp);
            if (value % 2 !== 0) return;
            return Promise.resolve().then(() => mayFail("keep, later"));
          },
          onTimer: {
            flush({ key }, { state, emit }) {
              mayFail("timer");
              emit(kv(key, state.sum.read()));
              for (const n of state.numbers.read()) emit(kv(key, n as number));
              mayFail("timer, after it has emitted");
            },
          },
        }),
      )
      .apply(groupByKey())
      .apply(
        map("group", ({ key, value }) => {
          names.add(String(key));
          mayFail("group");
          return `${key}: ${[...value].sort((a, b) => a - b).join()}`;
        }),
      )
      .apply(reshuffle("apart"))
      .apply(map("collect", (text) => void outputs.push(text)));
  }).build({});
  const topology = planPipeline(translatePipeline(graph), { parallelism: workers });
  const program = new Program(graph);
  const launcher = inProcessLauncher(() => new EmbeddedHost(program));
  const metrics = await runJob(topology, { launcher, workers, runtime: { bundleAttempts: ATTEMPTS, retryDelayMs: 0, ...runtime } }).result;
  return { outputs: outputs.sort(), metrics, failures };
}

const sometimes = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

const committedOf = ({ committed }: JobMetrics): string[] => committed.map((metric) => JSON.stringify(metric)).sort();

const total = ({ components }: JobMetrics, of: "retries" | "elementsIn" | "bundlesLetGo"): number =>
  components.reduce((sum, component) => sum + component[of], 0);

describe("bundles", () => {
  for (const workers of [1, 2])
    it(`give, whatever fails, what an undisturbed run gives, on ${workers} workers`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 40 }),
          fc.array(sometimes, { maxLength: 300, size: "max" }),
          fc.record({
            bundleElements: fc.constantFrom(1, 3, 1000),
            bundleBytes: fc.constantFrom(1 << 20, 200),
            channelBytes: fc.constantFrom(1 << 20, 64),
            shuffleSeed: fc.option(fc.nat(), { nil: undefined }),
          }),
          fc.constantFrom(fixed(20), sliding({ size: 20, every: 10 })),
          async (values, schedule, { shuffleSeed, ...sizesOf }, windows) => {
            const runtime = { ...sizesOf, ...(shuffleSeed === undefined ? {} : { shuffleSeed }) };
            const undisturbed = await outcomeOf(values, [], workers, runtime, windows);
            const disturbed = await outcomeOf(values, schedule, workers, runtime, windows);
            assert.deepEqual(disturbed.outputs, undisturbed.outputs);
            assert.deepEqual(disturbed.metrics.elements, undisturbed.metrics.elements);
            assert.deepEqual(committedOf(disturbed.metrics), committedOf(undisturbed.metrics));
            assert.equal(total(disturbed.metrics, "elementsIn"), total(undisturbed.metrics, "elementsIn"));
            const retries = total(disturbed.metrics, "retries");
            assert.ok(retries <= disturbed.failures); // several calls of one attempt may fail
            assert.equal(retries === 0, disturbed.failures === 0);
            assert.equal(total(disturbed.metrics, "bundlesLetGo"), 0);
          },
        ),
        { numRuns: workers === 1 ? 40 : 20 },
      );
    });

  it("tell attempted metrics from committed ones", async () => {
    const { metrics } = await outcomeOf([1, 2, 4, 5], [false, false, false, true], 1, {}); // start, 1, 2, 4
    const valueOf = (found: JobMetrics["user"]): unknown => found.find(({ name }) => name === "worked")?.value;
    assert.equal(valueOf(metrics.user), 5);
    assert.equal(valueOf(metrics.committed), 4);
  });
});
