// A job that is cancelled while it starts, and the next one in its folder: nothing of the first goes on behind its end.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { map, pipeline, sequence } from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { CancelledError } from "../../portability/stage-host/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

describe("a job that is cancelled while it starts", () => {
  const folder = temporaryFolder();

  it("does not take over its folder from the next one", async () => {
    const seen = new Set<number>();
    const definition = pipeline((p) => p.apply(sequence({ to: 20, perSecond: 400 })).apply(map((n) => void seen.add(n))));
    const start = () => local({ checkpointDir: folder.path, checkpointIntervalMs: 1 }).start(definition, {});
    for (let turns = 0; turns < 12; turns++) {
      const run = await start();
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      await run.cancel();
      await run.result().catch((error: unknown) => assert.ok(error instanceof CancelledError, String(error)));
      const files = () => readdirSync(folder.path, { recursive: true }).length;
      const before = files();
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(files(), before, "nothing is written behind the end");
    }
    await (await start()).result();
    assert.equal(seen.size, 20);
  });
});
