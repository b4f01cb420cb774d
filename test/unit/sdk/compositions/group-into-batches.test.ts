// Values of a key in batches. Catches values that are lost or twice in batches, batches beyond a limit or across keys and windows, values that
// wait for ever, a watermark that does not wait for them, and timers of keys that nothing waits for.
import assert from "node:assert/strict";
import { runPipeline, testStream, type TestStream } from "../../../../local/testing.js";
import { beam } from "../../../../portability/protos/index.js";
import { planPipeline } from "../../../../runner/index.js";
import { translatePipeline } from "../../../../sdk/translate/translate-pipeline.js";
import {
  fixed,
  groupByKey,
  groupIntoBatches,
  impulse,
  kv,
  map,
  output,
  PaneTiming,
  parDo,
  Pipeline,
  sessions,
  windowInto,
  withKeys,
  PipelineError,
  type GroupIntoBatchesOptions,
  type KV,
} from "../../../../sdk/index.js";
import { GraphBuilder } from "../../../../sdk/model/graph-builder.js";

type Pair = KV<string, unknown>;
const a = (value: unknown): Pair => kv("a", value);
const b = (value: unknown): Pair => kv("b", value);

/** Batches as they come, each with its timestamp. */
async function batchesOf(script: TestStream<Pair>, options: GroupIntoBatchesOptions, windowMs?: number, latenessMs = 0): Promise<string[]> {
  return await runPipeline((p) => {
    const events = p.apply(script);
    const windowed = windowMs === undefined ? events : events.apply(windowInto(fixed(windowMs), { allowedLatenessMs: latenessMs }));
    return windowed
      .apply(groupIntoBatches(options))
      .apply(
        map(
          "told",
          ({ key, value }, { timestamp, window }) =>
            `${key} ${value.join()} ${timestamp > 1e9 ? "end" : timestamp}${windowMs ? ` ${String(window)}` : ""}`,
        ),
      );
  });
}

describe("groupIntoBatches", () => {
  it("closes a batch that has as many values as it may, and the rest at the end", async () => {
    const script = testStream<Pair>().at(1, a(1), b(1)).at(2, a(2)).at(3, a(3), a(4), b(2), a(5));
    assert.deepEqual((await batchesOf(script, { size: 2 })).sort(), ["a 1,2 2", "a 3,4 3", "a 5 end", "b 1,2 3"]);
  });

  it("takes a value by itself where a batch is one", async () => {
    assert.deepEqual(await batchesOf(testStream<Pair>().at(1, a(1), a(2)), { size: 1 }), ["a 1 1", "a 2 1"]);
  });

  it("closes a batch before the value that would make it too large, and leaves a large value by itself", async () => {
    const text = (length: number): string => "x".repeat(length);
    const script = testStream<Pair>().at(1, ...[30, 30, 30, 30, 500, 20].map((length) => a(text(length))));
    const batches = await batchesOf(script, { bytes: 100 });
    assert.deepEqual(
      batches.map((batch) =>
        batch
          .split(" ")[1]
          .split(",")
          .map((value) => value.length),
      ),
      [[30, 30, 30], [30], [500], [20]],
    );
  });

  it("lets no value wait longer than it may", async () => {
    const script = testStream<Pair>()
      .at(10, a(1))
      .advanceProcessingTime(60)
      .at(20, a(2))
      .advanceProcessingTime(39)
      .at(30, b(1))
      .advanceProcessingTime(1)
      .at(40, a(3))
      .advanceProcessingTime(99)
      .at(41, a(4), a(5))
      .advanceProcessingTime(1000);
    assert.deepEqual(await batchesOf(script, { size: 3, maxBufferingMs: 100 }), ["a 1,2 10", "b 1 30", "a 3,4,5 41"]);
  });

  it("counts the time of the next batch from its own first value", async () => {
    const script = testStream<Pair>()
      .at(1, a(1))
      .advanceProcessingTime(90)
      .at(2, a(2), a(3))
      .advanceProcessingTime(90)
      .at(4, a(4))
      .advanceProcessingTime(10);
    assert.deepEqual(await batchesOf(script, { size: 2, maxBufferingMs: 100 }), ["a 1,2 2", "a 3,4 4"]);
  });

  it("has the watermark wait for values that a clock will let go", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(testStream<Pair>().at(5, a(1)).watermark(1000).advanceProcessingTime(100).end())
        .apply(groupIntoBatches({ size: 10, maxBufferingMs: 100 }))
        .apply(windowInto(fixed(10)))
        .apply(groupByKey())
        .apply(
          map(({ value: batches }, { window, pane }) => `${[...batches].join()} ${String(window)} ${pane.timing === PaneTiming.ON_TIME}`),
        ),
    );
    assert.deepEqual(found, ["1 [0, 10) true"]);
  });

  it("holds the watermark no longer than something waits", async () => {
    const seen: string[] = [];
    await runPipeline((p) => {
      const events = p.apply(testStream<Pair>().at(5, a(1), a(2)).watermark(1000).at(1001, b(1)));
      const batches = events
        .apply(groupIntoBatches({ size: 2, maxBufferingMs: 100 }))
        .apply(windowInto(fixed(10)))
        .apply(groupByKey());
      return {
        events: events.apply(map(({ key }) => void seen.push(key))),
        batches: batches.apply(map(({ key }) => void seen.push(`batch of ${key}`))),
      };
    });
    assert.deepEqual(seen, ["a", "a", "batch of a", "b", "batch of b"]);
  });

  it("keeps windows apart, and closes batches where they end", async () => {
    const script = testStream<Pair>().at(1, a(1)).at(12, a(2)).at(3, a(3)).watermark(10).at(14, a(4)).at(15, a(5)).watermark(20);
    assert.deepEqual(await batchesOf(script, { size: 2 }, 10), ["a 1,3 3 [0, 10)", "a 2,4 14 [10, 20)", "a 5 19 [10, 20)"]);
  });

  it("collects late values until the window expires", async () => {
    const script = testStream<Pair>().at(1, a(1)).watermark(12).late(2, a(2)).late(3, a(3)).late(4, a(4)).watermark(40);
    assert.deepEqual(await batchesOf(script, { size: 2 }, 10, 20), ["a 1 9 [0, 10)", "a 2,3 3 [0, 10)", "a 4 9 [0, 10)"]);
  });

  it("spreads a key over shards, equal values too, and the same value to the same one", async () => {
    const script = (): TestStream<Pair> => {
      const stream = testStream<Pair>();
      for (let at = 0; at < 200; at++) stream.at(at, a("same"));
      return stream;
    };
    const batches = await batchesOf(script(), { size: 1000, shards: 4 });
    assert.equal(batches.length, 4);
    assert.deepEqual((await batchesOf(script(), { size: 1000, shards: 4 })).sort(), batches.sort());
    const sizes = batches.map((batch) => batch.split(" ")[1].split(",").length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size),
      200,
    );
    assert.ok(Math.min(...sizes) > 25, sizes.join());
  });

  it("says what it is in the message, with its limits", () => {
    const graph = new GraphBuilder();
    new Pipeline(graph)
      .apply(impulse())
      .apply(withKeys(() => "key"))
      .apply(groupIntoBatches("write", { size: 7, bytes: 2 ** 40, maxBufferingMs: 100, shards: 3 }));
    const { transforms } = translatePipeline(graph).components!;
    const limitsOf = (name: string) => {
      const { spec } = transforms![name];
      const { batchSize, batchSizeBytes, maxBufferingDurationMillis } = beam.pipeline.GroupIntoBatchesPayload.decode(spec!.payload!);
      return [spec!.urn, ...[batchSize, batchSizeBytes, maxBufferingDurationMillis].map(Number)];
    };
    assert.deepEqual(limitsOf("write/sharded"), ["beam:transform:group_into_batches_with_sharded_key:v1", 7, 2 ** 40, 100]);
    assert.deepEqual(limitsOf("write/sharded/batches"), ["beam:transform:group_into_batches:v1", 7, 2 ** 40, 100]);
    assert.ok(planPipeline(translatePipeline(graph), { parallelism: 1 }));
  });

  it("refuses what could not be done, when it is applied", () => {
    const refused = (options: GroupIntoBatchesOptions): void => void groupIntoBatches(options);
    assert.throws(
      () => refused({}),
      (error) => error instanceof PipelineError && error.code === "no_batch_limit",
    );
    assert.throws(
      () => refused({ maxBufferingMs: 5 }),
      (error) => error instanceof PipelineError && error.code === "no_batch_limit",
    );
    for (const options of [
      { size: 0 },
      { size: 1.5 },
      { bytes: -1 },
      { size: 1, maxBufferingMs: 0 },
      { size: 1, shards: 0 },
      { size: 1, shards: 1e6 },
    ])
      assert.throws(() => refused(options), RangeError, JSON.stringify(options));
    const input = new Pipeline(new GraphBuilder()).apply(impulse());
    const merging = input.apply(windowInto(sessions(5))).apply(withKeys(() => 1));
    assert.throws(
      () => merging.apply(groupIntoBatches({ size: 1 })),
      (error) => error instanceof PipelineError && error.code === "bad_stateful_par_do",
    );
    const unkeyed = input.apply(parDo({ outputs: output<KV<number, number>>(input.coder as never), process: () => [] }));
    assert.throws(
      () => unkeyed.apply(groupIntoBatches({ size: 1 })),
      (error) => error instanceof PipelineError && error.code === "not_keyed",
    );
  });
});
