// State goes to disk and comes back as what it was, by the coders of the program: in protos a bigint looks like a number.
import assert from "node:assert/strict";
import { local } from "../../local/index.js";
import { create, kv, map, mapOf, pipeline, run, schema, set, statefulParDo, value } from "../../sdk/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

describe("bigints in state", () => {
  const folder = temporaryFolder();

  it("are bigints behind a checkpoint, and on disk", async () => {
    const found: unknown[] = [];
    const definition = pipeline((p) =>
      p
        .apply(create(Array.from({ length: 2000 }, (_, i) => kv(i % 100, i))))
        .apply(
          statefulParDo("sum", {
            state: { sum: value(schema.int64), of: mapOf(schema.int64, schema.int64), all: set(schema.int64) },
            process({ value: n }, { state }) {
              state.sum.write((state.sum.read() ?? 0n) + BigInt(n));
              state.of.set(BigInt(n % 3), 1n);
              state.all.add(BigInt(n % 2));
            },
            onWindowExpiration: ({ key }, { state, emit }) => emit([key, state.sum.read(), [...state.of.keys()].length]),
          }),
        )
        .apply(map((each) => void found.push(each))),
    );
    await run(
      definition,
      {},
      local({ checkpointDir: folder.path, checkpointIntervalMs: 5, runtime: { stateBytes: 1, bundleElements: 10 } }),
    );
    assert.equal(found.length, 100);
    assert.deepEqual((found as [number, bigint, number][]).sort(([a], [b]) => a - b)[7], [7, 19_140n, 3]);
  });
});
