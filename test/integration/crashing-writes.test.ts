// Files of runs that are killed at any moment and run again: the same as of an undisturbed run, and nothing else.
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWithCrashes, type CrashOptions } from "../support/crashes.js";

const fixture = "test/integration/fixtures/crashing.ts";

describe("files of a run that is killed and goes on", function () {
  this.timeout(120_000);
  const rounds = Number(process.env["BEAMSTORM_CRASH_ROUNDS"] ?? 1);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crashing-"));
    await mkdir(join(folder, "out"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function crash(options: Pick<CrashOptions, "args" | "workers" | "kills" | "withinMs">): Promise<string> {
    const seed = Number(process.env["BEAMSTORM_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    return runWithCrashes({ ...options, checkpointDir: join(folder, "checkpoints"), seed });
  }

  /** The lines of each file, hidden ones included, by the start of its name. */
  async function lines(nameOf: (file: string) => string): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const file of (await readdir(join(folder, "out"))).sort()) {
      const text = await readFile(join(folder, "out", file), "utf8");
      (found[nameOf(file)] ??= []).push(...text.split("\n").filter(Boolean));
    }
    for (const each of Object.values(found)) each.sort((a, b) => Number(a) - Number(b));
    return found;
  }

  for (let round = 0; round < rounds; round++)
    for (const workers of [[1], [3], [1, 3, 2]]) {
      it(`are those of each window of a stream, with ${workers.join(", then ")} workers (${round})`, async () => {
        const expected: Record<string, string[]> = {};
        const instant = (at: number): string => new Date(at).toISOString().slice(0, -1).replaceAll(":", "-");
        for (let n = 0; n < 4000; n++) {
          const start = Math.floor(n / 100) * 1000;
          (expected[`${n % 3}-${instant(start)}--${instant(start + 1000)}`] ??= []).push(String(n));
        }
        const args = [fixture, "--pipeline", "stream", "--output", join(folder, "out/*")];
        const story = await crash({ args, workers, kills: 4, withinMs: 3000 });
        assert.deepEqual(await lines((file) => file.replace(/-\d{5}-of-00002\.txt$/, "")), expected, story);
      });

      it(`have each line of a file that grows and is rotated, with ${workers.join(", then ")} workers (${round})`, async () => {
        const path = join(folder, "log");
        writeFileSync(path, ""); // a file that came and went while no run was alive would not be known
        let n = 0;
        const grow = (count: number): void => {
          let text = "";
          for (const end = n + count; n < end; n++) text += `${n}\n`;
          appendFileSync(path, text);
          if (n === 1500) renameSync(path, `${path}.1`);
        };
        // From the first checkpoint on: before it a run that is killed has nothing to go on from.
        const isKnown = (): boolean =>
          readdirSync(join(folder, "checkpoints/epochs"), { encoding: "utf8" }).some((name) => name.endsWith(".json"));
        let isGrowing = false;
        const growing = setInterval(() => {
          isGrowing ||= existsSync(join(folder, "checkpoints/epochs")) && isKnown();
          if (isGrowing && n < 3000) grow(25);
        }, 20);
        try {
          const args = [fixture, "--pipeline", "follow", "--input", path, "--output", join(folder, "out/lines")];
          const story = await crash({ args, workers, kills: 3, withinMs: 2500 });
          const expected = Array.from({ length: 3000 }, (_, i) => String(i));
          assert.deepEqual(await lines((file) => file.slice(0, 5)), { lines: expected }, story);
        } finally {
          clearInterval(growing);
        }
      });

      it(`are those of a batch, with ${workers.join(", then ")} workers (${round})`, async () => {
        const input = Array.from({ length: 20_000 }, (_, n) => String(n));
        await writeFile(join(folder, "in.txt"), input.join("\n"));
        const expected: Record<string, string[]> = {};
        for (const line of input) (expected[line[0]] ??= []).push(line);
        const args = [fixture, "--pipeline", "batch", "--input", join(folder, "in.txt"), "--output", join(folder, "out/*")];
        const story = await crash({ args, workers, kills: 4, withinMs: 3000 });
        assert.deepEqual(await lines((file) => file.replace(/-\d{5}-of-00002$/, "")), expected, story);
      });
    }
});
