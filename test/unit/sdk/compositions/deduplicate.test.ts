// Equal elements once for a while. Catches repeated elements that pass, others that are dropped, what is remembered for ever, results in event time
// that depend on the watermark, and elements that are moved in time.
import assert from "node:assert/strict";
import { runPipeline, testStream, type TestStream } from "../../../../local/testing.js";
import {
  countGlobally,
  create,
  deduplicate,
  fixed,
  map,
  minutes,
  Pipeline,
  impulse,
  PipelineError,
  windowInto,
  withCoder,
  type Coder,
  type DeduplicateOptions,
} from "../../../../sdk/index.js";
import { GraphBuilder } from "../../../../sdk/model/graph-builder.js";

async function passed(script: TestStream<string>, options: DeduplicateOptions<string>, windowMs?: number): Promise<string[]> {
  return await runPipeline((p) => {
    const events = p.apply(script);
    return (windowMs === undefined ? events : events.apply(windowInto(fixed(windowMs))))
      .apply(deduplicate(options))
      .apply(map((text, { timestamp }) => `${text}@${timestamp}`));
  });
}

describe("deduplicate", () => {
  it("drops what repeats in event time, before and after, whatever the watermark is", async () => {
    for (const watermark of [-1, 0, 9]) {
      const script = testStream<string>()
        .at(10, "a", "b")
        .watermark(watermark)
        .at(19, "a")
        .at(20, "a")
        .at(9, "b")
        .at(0, "b")
        .at(29, "a")
        .at(30, "a");
      assert.deepEqual(await passed(script, { durationMs: 10 }), ["a@10", "b@10", "a@20", "b@0", "a@30"]);
    }
  });

  it("counts from what was let through, not from what was dropped", async () => {
    const script = testStream<string>().at(0, "a").at(6, "a").at(12, "a").at(18, "a");
    assert.deepEqual(await passed(script, { durationMs: 10 }), ["a@0", "a@12"]);
  });

  it("forgets an element when the watermark has passed what it could drop", async () => {
    const script = testStream<string>().at(0, "a").watermark(9).at(9, "a").watermark(10).late(5, "a").watermark(30).late(6, "a");
    assert.deepEqual(await passed(script, { durationMs: 10 }), ["a@0", "a@5", "a@6"]);
  });

  it("drops what repeats until the clock says so", async () => {
    const script = testStream<string>()
      .at(0, "a")
      .advanceProcessingTime(99)
      .at(minutes(5), "a")
      .advanceProcessingTime(1)
      .at(7, "a")
      .at(8, "a", "b");
    assert.deepEqual(await passed(script, { durationMs: 100, domain: "processing" }), ["a@0", "a@7", "b@8"]);
  });

  it("does not hold the watermark", async () => {
    for (const domain of ["event", "processing"] as const) {
      const seen: string[] = [];
      await runPipeline((p) => {
        const first = p.apply(testStream<string>().at(1, "a").watermark(50).at(60, "b")).apply(deduplicate({ durationMs: 1000, domain }));
        const counts = first.apply(windowInto(fixed(10))).apply(countGlobally());
        return {
          first: first.apply(map((text) => void seen.push(text))),
          counts: counts.apply(map((n) => void seen.push(`${n} counted`))),
        };
      });
      assert.deepEqual(seen, ["a", "1 counted", "b", "1 counted"]);
    }
  });

  it("compares by what it is told, within a window", async () => {
    const script = testStream<string>().at(1, "a1", "a2", "b1").at(11, "a3").at(12, "b2", "b3");
    assert.deepEqual(await passed(script, { durationMs: 1000, by: (text) => text[0] }, 10), ["a1@1", "b1@1", "a3@11", "b2@12"]);
  });

  it("compares what has no time, too", async () => {
    for (const domain of ["event", "processing"] as const) {
      const found = await runPipeline((p) => p.apply(create(["a", "b", "a"])).apply(deduplicate({ durationMs: 1, domain })));
      assert.deepEqual(found.sort(), ["a", "b"]);
    }
  });

  it("refuses durations that are none, and elements that cannot be compared", () => {
    for (const durationMs of [0, -5, 1.5, Number.NaN]) assert.throws(() => deduplicate({ durationMs }), RangeError);
    const loose: Coder<unknown> = { urn: "test:loose", components: [], deterministic: false, encode() {}, decode: () => null };
    const input = new Pipeline(new GraphBuilder()).apply(impulse()).apply(withCoder(loose as never));
    assert.throws(
      () => input.apply(deduplicate({ durationMs: 1 })),
      (error) => error instanceof PipelineError && error.code === "coder_not_deterministic",
    );
  });
});
