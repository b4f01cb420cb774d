// Pieces of checkpoints that are not what they were, in the midst of them, where only who reads all of one sees it: an earlier epoch is gone on from.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeManifest, type Manifest } from "../../runner/checkpoint/index.js";
import { combining, map, pipeline, sequence, statefulParDo, sumFn, withKeys } from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { CancelledError } from "../../portability/stage-host/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const COUNT = 600;

describe("a piece of a checkpoint that is damaged inside", () => {
  const folder = temporaryFolder();
  let sums: string[];
  const definition = pipeline((p) =>
    p
      .apply(sequence({ to: COUNT, perSecond: 300, timestampOf: () => 0, catchUpMs: 10 }))
      .apply(withKeys((n: number) => n % 7))
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
      .apply(map("collect", (sum: string) => void sums.push(sum))),
  );
  const runner = () => local({ checkpointDir: folder.path, checkpointIntervalMs: 20 });
  const manifests = (): Manifest[] =>
    readdirSync(join(folder.path, "epochs"))
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => decodeManifest(readFileSync(join(folder.path, "epochs", name), "utf8")));

  const lastEpoch = (): number => (existsSync(join(folder.path, "epochs")) ? (manifests().at(-1)?.epoch ?? 0) : 0);

  /** Changes a byte of what the epoch has added. */
  function damage({ epoch, pieces }: Manifest): void {
    const own = pieces.filter((piece) => piece.epoch === epoch);
    assert.equal(own.length, 1);
    const path = join(folder.path, "pieces", own[0].name);
    const bytes = readFileSync(path);
    bytes[10] ^= 0xff;
    writeFileSync(path, bytes);
  }

  async function runUntil(epochs: number): Promise<void> {
    const run = await runner().start(definition, {});
    let isOver = false;
    const ended = run
      .result()
      .catch((error: unknown) => assert.ok(error instanceof CancelledError, String(error)))
      .finally(() => (isOver = true));
    while (!isOver && lastEpoch() < epochs) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(!isOver, "it has come to its end before");
    await run.cancel();
    await ended;
  }

  it("costs what was done since an earlier one", async () => {
    sums = [];
    await runUntil(4);
    damage(manifests().at(-1)!);
    const run = await runner().start(definition, {});
    const said: string[] = [];
    run.messages$.subscribe(({ text }) => said.push(text));
    await run.result();
    const expected = Array.from({ length: 7 }, (_, key) => {
      let sum = 0;
      for (let n = key; n < COUNT; n += 7) sum += n;
      return `${key}: ${sum}`;
    });
    assert.deepEqual(sums.sort(), expected);
    assert.equal(
      said.filter((text) => /cannot be used, an earlier one is looked for: epoch \d+: a section of .* is damaged/.test(text)).length,
      1,
    );
  });

  it("ends the run if there is no other", async () => {
    sums = [];
    await runUntil(2);
    for (const manifest of manifests()) damage(manifest);
    const run = await runner().start(definition, {});
    await assert.rejects(run.result(), { code: "checkpoint_damaged" });
    assert.deepEqual(sums, []);
  });
});
