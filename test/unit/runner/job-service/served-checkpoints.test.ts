import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import type { beam } from "../../../../portability/protos/index.js";
import { checkpointsOf } from "../../../../runner/job-service/served-checkpoints.js";

type Value = { stringValue?: string; numberValue?: number };

const server = { folder: "kept", intervalMs: 10_000 };
const options = (values: Record<string, Value>): beam.job.IPrepareJobRequest["pipelineOptions"] => ({
  fields: Object.fromEntries(Object.entries(values).map(([name, value]) => [`beam:option:${name}:v1`, value])),
});
const named = (name: string) => options({ checkpoint_name: { stringValue: name } });

const pipeline = (change: (transform: beam.pipeline.IPTransform) => void = () => {}): beam.pipeline.IPipeline => {
  const sum = {
    uniqueName: "sum",
    spec: { urn: "beam:transform:combine_per_key:v1" },
    inputs: { in: "words", b: "more" },
    outputs: { out: "sums" },
  };
  change(sum);
  return {
    components: {
      transforms: { sum },
      pcollections: { words: { windowingStrategyId: "w" }, sums: { windowingStrategyId: "w" } },
      windowingStrategies: { w: { windowFn: { urn: "beam:window_fn:global_windows:v1" }, environmentId: "python" } },
    },
  };
};

describe("Checkpoints of a submitted job", () => {
  it("are taken in a folder of its name, as often as it wants, or the server does", () => {
    const folder = join(resolve("kept"), "my-job.1");
    const every = { checkpoint_name: { stringValue: "my-job.1" }, checkpoint_interval_ms: { stringValue: "250" } };
    assert.deepEqual(
      [named("my-job.1"), options(every), options({ ...every, checkpoint_interval_ms: { numberValue: 250 } })]
        .map((given) => checkpointsOf(pipeline(), given, server))
        .map((found) => [found?.folder, found?.intervalMs]),
      [
        [folder, 10_000],
        [folder, 250],
        [folder, 250],
      ],
    );
  });

  it("are not taken where none are wanted", () => {
    assert.equal(checkpointsOf(pipeline(), options({}), server), undefined);
    assert.equal(checkpointsOf(pipeline(), null, undefined), undefined);
  });

  for (const name of ["..", ".", "../up", "a/b", "a\\b", "/etc", "a\0b", "ä", "-a", "x".repeat(101)])
    it(`lie nowhere else: not under ${JSON.stringify(name).slice(0, 20)}`, () => {
      assert.throws(() => checkpointsOf(pipeline(), named(name), server), /checkpoint_name must be up to 100 letters/);
    });

  it("are refused by a server that keeps none, and with an interval that is none", () => {
    assert.throws(() => checkpointsOf(pipeline(), named("a"), undefined), /start it with --checkpoint-dir/);
    assert.throws(
      () => checkpointsOf(pipeline(), options({ checkpoint_interval_ms: { numberValue: 5 } }), server),
      /checkpoint_interval_ms needs checkpoint_name/,
    );
    for (const interval of ["0", "-1", "1.5", "soon", "3e9"])
      assert.throws(
        () =>
          checkpointsOf(
            pipeline(),
            options({ checkpoint_name: { stringValue: "a" }, checkpoint_interval_ms: { stringValue: interval } }),
            server,
          ),
        /checkpoint_interval_ms must be a whole number/,
      );
  });

  it("are those of the same pipeline, whatever its functions do, and of no other", () => {
    const printOf = (change?: (transform: beam.pipeline.IPTransform) => void) =>
      checkpointsOf(pipeline(change), named("a"), server)?.fingerprint;
    const same = [
      (sum: beam.pipeline.IPTransform) => (sum.spec = { ...sum.spec, payload: new Uint8Array([1]) }),
      (sum: beam.pipeline.IPTransform) => (sum.inputs = { b: "more", in: "words" }),
    ];
    for (const change of same) assert.equal(printOf(change), printOf());
    const others = [
      (sum: beam.pipeline.IPTransform) => (sum.uniqueName = "mean"),
      (sum: beam.pipeline.IPTransform) => (sum.inputs = { in: "words" }),
      (sum: beam.pipeline.IPTransform) => (sum.spec = { urn: "beam:transform:group_by_key:v1" }),
    ];
    for (const change of others) assert.notEqual(printOf(change), printOf());
    const windows = pipeline();
    windows.components!.windowingStrategies!["w"].windowFn = { urn: "beam:window_fn:fixed_windows:v1" };
    assert.notEqual(checkpointsOf(windows, named("a"), server)?.fingerprint, printOf());
  });
});
