// Unbounded sources in whole pipelines: what is read, how runs end, and that idle inputs hold nobody back.
import assert from "node:assert/strict";
import { runPipeline } from "../../local/run-pipeline.js";
import { sequence } from "../../sdk/index.js";

describe("unbounded sources", () => {
  it("reads a sequence to its end", async () => {
    const found = await runPipeline((p) => p.apply(sequence({ from: 3, to: 20_003 })));
    assert.deepEqual(
      found,
      Array.from({ length: 20_000 }, (_, i) => i + 3),
    );
  });
});
