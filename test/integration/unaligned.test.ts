// Channels that are far behind hold up nobody at a barrier: what they bring of the epoch is in the snapshot.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { combining, flatten, map, pipeline, sequence, statefulParDo, sumFn, withKeys } from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { CancelledError } from "../../portability/stage-host/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const FAST = 2000;
const SLOW = 60;

describe("a barrier that some channels bring late", () => {
  const folder = temporaryFolder();

  it("is overtaken, and what came behind it is neither lost nor doubled", async () => {
    let sums: string[] = [];
    const definition = pipeline((p) => {
      const fast = p.apply(sequence({ name: "fast", to: FAST, perSecond: 1000, parallelism: 1 }));
      const slow = p.apply(sequence({ name: "slow", to: SLOW, perSecond: 30, parallelism: 1 })).apply(
        map(
          "ask",
          async (n) => {
            await sleep(30);
            return n + FAST;
          },
          { concurrency: 1 },
        ),
      );
      p.apply(flatten([fast, slow]))
        .apply(withKeys((n: number) => n % 5))
        .apply(
          statefulParDo("sum", {
            state: { sum: combining(sumFn) },
            process: ({ value }: { key: number; value: number }, { state }) => state.sum.add(value),
            onWindowExpiration: (
              { key }: { key: number },
              { state, emit }: { state: { sum: { read(): number } }; emit: (sum: string) => void },
            ) => emit(`${key}: ${state.sum.read()}`),
          }),
        )
        .apply(map("collect", (sum: string) => void sums.push(sum)));
    });
    const runner = local({ checkpointDir: folder.path, checkpointIntervalMs: 50, runtime: { alignmentMs: 5 } });
    let lives = 0;
    const inFlight = new Set<string>();
    for (let isDone = false; !isDone; lives++) {
      sums = [];
      const run = await runner.start(definition, {});
      const ended = run.result().then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof CancelledError, String(error));
          return false;
        },
      );
      if (lives < 4) setTimeout(() => void run.cancel(), 450);
      isDone = await ended;
      for (const name of readdirSync(join(folder.path, "pieces")))
        if (readFileSync(join(folder.path, "pieces", name), "latin1").includes("/in flight")) inFlight.add(name);
    }
    const expected = [0, 1, 2, 3, 4].map((key) => {
      let sum = 0;
      for (let n = key; n < FAST + SLOW; n += 5) sum += n;
      return `${key}: ${sum}`;
    });
    assert.deepEqual(sums.sort(), expected);
    assert.ok(lives > 2, "it was cancelled, and went on");
    assert.ok(inFlight.size > 0, "some elements were on their way");
  });
});
