// The examples give what they say, by the command that their first lines name.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
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

  /** Runs an example with its own data; the JSON lines that it writes, sorted. */
  async function output(name: string, ...args: string[]): Promise<unknown[]> {
    const file = join(folder, `${name}.jsonl`);
    const { code, stderr } = await beamstorm(["run", `examples/${name}.ts`, "--output", file, ...args]);
    assert.equal(code, 0, stderr);
    const lines = (await readFile(file, "utf8")).trim().split("\n").sort();
    return lines.map((line) => JSON.parse(line) as unknown);
  }

  for (const workers of ["1", "2"]) {
    it(`top-per-key finds the best players of each game, with ${workers} workers`, async () => {
      assert.deepEqual(await output("top-per-key", "--top", "2", "--workers", workers), [
        { game: "chess", best: ["Ada (2410)", "Dan (2290)"] },
        { game: "go", best: ["Eve (2550)", "Fay (2300)"] },
        { game: "tennis", best: ["Eve (655)", "Gus (640)"] },
      ]);
    });

    it(`join says what each customer has spent, with ${workers} workers`, async () => {
      assert.deepEqual(await output("join", "--workers", workers), [
        { customer: "Ada", spent: 20 + 1200 * 0.006 },
        { customer: "Bob, junior", spent: 15.5 * 0.9 },
        { customer: "unknown (c-9)", spent: 8 },
      ]);
    });

    it(`sessions finds sessions of user activity, with ${workers} workers`, async () => {
      assert.deepEqual(await output("sessions", "--workers", workers), [
        { user: "ada", from: "2026-01-01T09:00:00.000Z", pages: ["/home", "/search"] },
        { user: "ada", from: "2026-01-01T09:20:00.000Z", pages: ["/cart", "/home"] },
        { user: "bob", from: "2026-01-01T09:02:00.000Z", pages: ["/home"] },
        { user: "bob", from: "2026-01-01T11:00:00.000Z", pages: ["/help"] },
      ]);
    });
  }

  it("csv-to-parquet gives columns that other readers know", async () => {
    const file = join(folder, "weather.parquet");
    const { code, stderr } = await beamstorm(["run", "examples/csv-to-parquet.ts", "--output", file]);
    assert.equal(code, 0, stderr);
    const { buffer } = new Uint8Array(await readFile(file));
    const rows = await parquetReadObjects({ file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) } });
    assert.deepEqual(
      rows.sort((a, b) => `${a["station"]} ${a["celsius"]}`.localeCompare(`${b["station"]} ${b["celsius"]}`)),
      [
        { station: "oslo", at: new Date("2026-01-01T12:00:00Z"), celsius: -3, note: "snow" },
        { station: "oslo", at: new Date("2026-01-01T06:00:00Z"), celsius: -7.5, note: null },
        { station: "quito", at: new Date("2026-01-01T06:00:00Z"), celsius: 9.25, note: "fog, later sun" },
        { station: "quito", at: new Date("2026-01-01T12:00:00Z"), celsius: null, note: "sensor off" },
      ],
    );
  });

  it("enrichment asks its service about every user", async () => {
    const found = (await output("enrichment", "--users", "40")) as { user: string; city: string | null }[];
    assert.equal(found.length, 40);
    for (const { user, city } of found) assert.equal(city, [null, "Paris", "Oslo", "Quito"][Number(user.slice(5)) % 4]);
  });
});
