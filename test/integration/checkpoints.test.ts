// Pipelines that are cancelled, killed or lose a worker, and go on from their checkpoints: the results are those of a run that nothing happens to.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CancelledError, create, map, pipeline, type Run } from "beamstorm";
import { local } from "beamstorm/local";
import { decodeManifest, encodeManifest, type Manifest } from "../../runner/checkpoint/index.js";
import { beamstorm, type CommandResult } from "../support/run-cli.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import checkpointed, { expected } from "./fixtures/checkpointed.js";

const module = new URL("./fixtures/checkpointed.ts", import.meta.url);
const TO = 1000;

describe("a run with checkpoints", () => {
  const folder = temporaryFolder();
  const checkpoints = (): string => join(folder.path, "checkpoints");
  const out = (): string => join(folder.path, "out");

  const start = (workers: number, options: Record<string, unknown> = {}): Promise<Run> =>
    local({ workers, module: module.href, checkpointDir: checkpoints(), checkpointIntervalMs: 20 }).start(checkpointed as never, {
      out: out(),
      to: TO,
      ...options,
    });

  const found = async (): Promise<string[]> => (await readFile(out(), "utf8").catch(() => "")).trim().split("\n").sort();

  /** Resolves when so many epochs have been published. */
  async function published(epoch: number): Promise<void> {
    for (;;) {
      const names = await readdir(join(checkpoints(), "epochs")).catch(() => []);
      if (names.some((name) => Number(/^(\d+)-\d+\.json$/.exec(name)?.[1]) >= epoch)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function cancelBehind(epoch: number, workers: number): Promise<void> {
    const run = await start(workers, { perSecond: 50 }); // does not come to its end
    await published(epoch);
    await run.cancel();
    await assert.rejects(run.result(), CancelledError);
    assert.deepEqual(await found(), [""]);
  }

  it("goes on where another one was cancelled, and again, with other numbers of workers", async () => {
    await cancelBehind(2, 1);
    await cancelBehind(5, 2);
    await (await start(3)).result(); // all that is due by now comes at once
    assert.deepEqual(await found(), expected(TO));
    // All of it is done: nothing is done again.
    const run = await start(1);
    await run.result();
    assert.equal(run.state, "DONE");
    assert.deepEqual(await found(), expected(TO));
  });

  it("goes on by itself when a worker is killed", async () => {
    const run = await start(2, { dieAt: 700 });
    await run.result();
    assert.equal(run.state, "DONE");
    assert.deepEqual(await found(), expected(TO));
    await readFile(`${out()}.died`);
    assert.deepEqual((await readdir(join(checkpoints(), "generations"))).length, 2);
    for (const sub of ["epochs", "pieces"])
      for (const name of await readdir(join(checkpoints(), sub)))
        assert.doesNotMatch(name, /\.part$/, "nothing is left of what was under way");
  });

  const command = (args: readonly string[], onEpoch?: number): Promise<CommandResult> => {
    let isKilled = false;
    return beamstorm(["run", fileURLToPath(module), "--out", out(), "--to", String(TO), ...args], {
      onStderr: (_, child) => {
        if (onEpoch === undefined || isKilled) return;
        isKilled = true;
        void published(onEpoch).then(() => child.kill("SIGKILL"));
      },
    });
  };

  it("goes on from the command line, when its process was killed", async () => {
    const args = ["--checkpoint-dir", checkpoints(), "--checkpoint-interval", "20ms"];
    const child = command([...args, "--per-second", "50"], 3);
    assert.equal((await child).code, null);
    assert.deepEqual(await found(), [""]);
    const { code, stderr } = await command(args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /goes on from the checkpoint of epoch \d+/);
    assert.deepEqual(await found(), expected(TO));
  });

  const other = pipeline((p) => void p.apply(create([1])).apply(map("another", (n) => n)));
  const startOther = async (checkpointDir: string): Promise<unknown> => (await local({ checkpointDir }).start(other, {})).result();

  it("refuses the checkpoints of another pipeline, and leaves whoever runs there alone", async () => {
    const run = await start(1);
    await published(1);
    await assert.rejects(startOther(checkpoints()), /are of another pipeline.*name another folder, or delete this one/);
    await run.result();
    assert.deepEqual(await found(), expected(TO));
    assert.deepEqual(await readdir(join(checkpoints(), "generations")), ["000001"]);
  });

  it("ends when another one takes over, which has the results", async () => {
    const first = await start(1);
    await published(2);
    const second = await start(1);
    await assert.rejects(first.result(), /another run of the job has taken over/);
    await second.result();
    assert.deepEqual(await found(), expected(TO));
  });

  it("says the same each time while its checkpoints are damaged", async () => {
    await cancelBehind(1, 1);
    const names = await readdir(join(checkpoints(), "epochs"));
    for (const name of names) await writeFile(join(checkpoints(), "epochs", name), "damaged");
    for (let time = 0; time < 2; time++)
      await assert.rejects(
        start(1).then((run) => run.result()),
        /no checkpoint in .* can be used any more \(epoch \d+: .*to begin anew, name another folder or delete this one/,
      );
  });

  for (const version of [1, 3])
    it(`is refused where the last checkpoint is of version ${version}, though an earlier one could be read, and leaves whoever runs there alone`, async () => {
      await cancelBehind(2, 1);
      const epochs = join(checkpoints(), "epochs");
      const [last] = (await readdir(epochs)).sort().reverse();
      const manifest = decodeManifest(await readFile(join(epochs, last), "utf8"));
      await writeFile(join(epochs, last), encodeManifest({ ...manifest, version } as unknown as Manifest));
      for (let time = 0; time < 2; time++)
        await assert.rejects(
          start(1).then((run) => run.result()),
          new RegExp(
            `the last checkpoint in .* was written by another version of Beamstorm \\(it is of version ${version}, where this program knows 2\\)`,
          ),
        );
      assert.deepEqual(await readdir(join(checkpoints(), "generations")), ["000001"]);
    });

  it("says that its folder cannot be used", async () => {
    const file = join(folder.path, "file");
    await writeFile(file, "");
    await assert.rejects(startOther(file), /the folder for checkpoints, .*file, cannot be used: /);
    await assert.rejects(startOther(join(file, "below")), /cannot be used: ENOTDIR/);
  });

  it("wants options that make sense", async () => {
    for (const checkpointIntervalMs of [0, -1, NaN, 2 ** 31])
      await assert.rejects(
        local({ checkpointDir: checkpoints(), checkpointIntervalMs }).start(other, {}),
        /checkpointIntervalMs must be from 1/,
      );
    for (const [args, message] of [
      [["--checkpoint-interval", "1s"], /--checkpoint-interval needs --checkpoint-dir/],
      [["--checkpoint-dir", "x", "--checkpoint-interval", "soon"], /expected a time such as 500ms/],
      [["--checkpoint-dir", "x", "--checkpoint-interval", "0s"], /expected a time such as 500ms/],
      [["--checkpoint-dir", "x", "--checkpoint-interval", "1000h"], /expected a time such as 500ms/],
    ] as const) {
      const { code, message: said } = await command(args);
      assert.notEqual(code, 0);
      assert.match(said, message);
    }
  });
});
