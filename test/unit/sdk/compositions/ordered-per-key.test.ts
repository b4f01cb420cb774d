// Elements of a key by their sequence numbers. Catches what comes out of order, twice or not at all, more that waits than may, and timestamps that go back.
import assert from "node:assert/strict";
import { runPipeline, testStream, type TestStream } from "../../../../local/testing.js";
import { fixed, kv, map, orderedPerKey, UserCodeError, windowInto, type KV, type OrderOptions } from "../../../../sdk/index.js";

const of = (key: string, ...sequence: readonly number[]): KV<string, number>[] => sequence.map((n) => kv(key, n));
type Found = { readonly output: string[]; readonly unordered: string[] };

async function ordered(
  script: TestStream<KV<string, number>>,
  options: Partial<OrderOptions<number>> = {},
  windowMs?: number,
): Promise<Found> {
  return await runPipeline((p) => {
    const events = p.apply(script);
    const { output, unordered } = (windowMs === undefined ? events : events.apply(windowInto(fixed(windowMs)))).apply(
      orderedPerKey({ sequenceOf: (n) => n, ...options }),
    );
    return {
      output: output.apply(map("output", ({ key, value }, { timestamp }) => `${key}${value}@${timestamp}`)),
      unordered: unordered.apply(map("unordered", ({ key, value: { value, sequence, reason } }) => `${key}${value} ${sequence} ${reason}`)),
    };
  });
}

describe("orderedPerKey", () => {
  it("has what comes too early wait, with its timestamp", async () => {
    const script = testStream<KV<string, number>>()
      .at(9, ...of("a", 2))
      .at(1, ...of("a", 1), ...of("b", 0))
      .at(5, ...of("a", 0))
      .at(6, ...of("a", 3));
    assert.deepEqual(await ordered(script), { output: ["b0@1", "a0@5", "a1@5", "a2@9", "a3@6"], unordered: [] });
  });

  it("begins where it is told", async () => {
    const script = testStream<KV<string, number>>().at(1, ...of("a", -2, -3, -1));
    assert.deepEqual(await ordered(script, { initial: -3 }), { output: ["a-3@1", "a-2@1", "a-1@1"], unordered: [] });
  });

  it("puts out each number once", async () => {
    const script = testStream<KV<string, number>>().at(1, ...of("a", 0, 0, 2, 2, 1, 1, 2));
    assert.deepEqual(await ordered(script), {
      output: ["a0@1", "a1@1", "a2@1"],
      unordered: ["a0 0 repeated", "a2 2 repeated", "a1 1 repeated", "a2 2 repeated"],
    });
  });

  it("has no more wait than may, and goes on", async () => {
    const script = testStream<KV<string, number>>().at(1, ...of("a", 3, 2, 4, 1, 0, 1, 4));
    assert.deepEqual(await ordered(script, { maxWaiting: 2 }), {
      output: ["a0@1", "a1@1", "a2@1", "a3@1", "a4@1"],
      unordered: ["a4 4 overflow", "a1 1 overflow"],
    });
  });

  it("gives up gaps when the window ends, and begins anew in the next one", async () => {
    const script = testStream<KV<string, number>>()
      .at(1, ...of("a", 3, 0, 2))
      .at(11, ...of("a", 0))
      .watermark(30);
    const { output, unordered } = await ordered(script, {}, 10);
    assert.deepEqual(output, ["a0@1", "a0@11"]);
    assert.deepEqual(unordered, ["a2 2 gap", "a3 3 gap"]);
  });

  it("refuses numbers that are no place, and limits that are none", async () => {
    await assert.rejects(ordered(testStream<KV<string, number>>().at(1, kv("a", 0.5))), UserCodeError);
    assert.throws(() => orderedPerKey({ sequenceOf: (n: number) => n, maxWaiting: -1 }), RangeError);
    assert.throws(() => orderedPerKey({ sequenceOf: (n: number) => n, initial: 0.1 }), RangeError);
  });
});
