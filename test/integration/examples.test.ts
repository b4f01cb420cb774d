// The examples give what they say, by the command that their first lines name.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beamstorm } from "../support/run-cli.js";

describe("examples", () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-examples-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  for (const workers of ["1", "2"])
    it(`wordcount counts words with ${workers} workers`, async () => {
      const input = join(folder, "input.txt");
      const output = join(folder, `counts-${workers}.txt`);
      await writeFile(input, "To be, or not to be:\nthat is the question — à propos.\n");
      const { code, stderr } = await beamstorm([
        "run",
        "examples/wordcount.ts",
        "--input",
        input,
        "--output",
        output,
        "--workers",
        workers,
      ]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        (await readFile(output, "utf8")).trim().split("\n").sort(),
        ["be: 2", "is: 1", "not: 1", "or: 1", "propos: 1", "question: 1", "that: 1", "the: 1", "to: 2", "à: 1"].sort(),
      );
    });

  it("windowed-wordcount counts words for each minute of event time", async () => {
    const input = join(folder, "service.log");
    const output = join(folder, "per-minute.txt");
    const lines = ["2026-01-01T12:01:00Z stopped", "2026-01-01T12:00:05Z started", "no time", "2026-01-01T12:00:59.999Z Started again"];
    await writeFile(input, lines.join("\n"));
    const { code, stderr } = await beamstorm(["run", "examples/windowed-wordcount.ts", "--input", input, "--output", output]);
    assert.equal(code, 0, stderr);
    assert.deepEqual((await readFile(output, "utf8")).trim().split("\n").sort(), [
      "2026-01-01T12:00 again: 1",
      "2026-01-01T12:00 started: 2",
      "2026-01-01T12:01 stopped: 1",
    ]);
  });
});
