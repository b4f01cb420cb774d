// State with timers that is gone on from where the spill folder cannot be written. Catches jobs that fail for a disk that they can do without, and
// people who are not told.
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventTimer, map, pipeline, sequence, statefulParDo, value, withKeys } from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { CancelledError } from "../../portability/stage-host/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const COUNT = 400;
const KEYS = 50;

describe("state with timers, restored where the disk takes nothing", () => {
  const folder = temporaryFolder();

  it("is kept in memory, and people are told", async () => {
    const sums: string[] = [];
    const definition = pipeline((p) =>
      p
        .apply(sequence({ to: COUNT, perSecond: 200, timestampOf: (n) => n, catchUpMs: 10 }))
        .apply(withKeys((n: number) => n % KEYS))
        .apply(
          statefulParDo("sum", {
            state: { sum: value<number>() },
            timers: { end: eventTimer() },
            process({ value: n }: { key: number; value: number }, { state, timers }) {
              state.sum.write((state.sum.read() ?? 0) + n);
              timers.end.set(COUNT);
            },
            onTimer: { end: ({ key }, { state, emit }) => emit(`${key}: ${state.sum.read()}`) },
          }),
        )
        .apply(map("collect", (sum) => void sums.push(String(sum)))),
    );
    const file = join(folder.path, "no-folder");
    writeFileSync(file, "");
    const checkpointDir = join(folder.path, "checkpoints");
    const runner = local({ checkpointDir, checkpointIntervalMs: 20, spillFolder: join(file, "below") });
    const epochs = join(checkpointDir, "epochs");
    const first = await runner.start(definition, {});
    const ended = first.result().catch((error: unknown) => assert.ok(error instanceof CancelledError, String(error)));
    while (!existsSync(epochs) || !readdirSync(epochs).some((name) => /^0*[5-9]-.*json$/.test(name)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await first.cancel();
    await ended;

    const second = await runner.start(definition, {});
    const warnings: string[] = [];
    second.messages$.subscribe(({ level, text }) => level === "warn" && warnings.push(text));
    await second.result();
    const expected = Array.from({ length: KEYS }, (_, key) => {
      let sum = 0;
      for (let n = key; n < COUNT; n += KEYS) sum += n;
      return `${key}: ${sum}`;
    });
    assert.deepEqual(sums.sort(), expected.sort());
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0], /^state of bolt-\d+ sum that is gone on from is kept in memory.*: the spill folder .*no-folder\/below fails/);
  });
});
