// The examples give what they say, by the command that their first lines name.
import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
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
    return await jsonLinesOf(file);
  }

  async function jsonLinesOf(file: string): Promise<unknown[]> {
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

  for (const workers of ["1", "2"]) {
    it(`leaderboard tells scores early, on time and late, with ${workers} workers`, async () => {
      const { code, stdout, stderr } = await beamstorm(["run", "examples/leaderboard.ts", "--workers", workers]);
      assert.equal(code, 0, stderr);
      const linesOf = (start: string) => stdout.split("\n").filter((line) => line.startsWith(start));
      // In order for each team; teams may be in different processes.
      assert.deepEqual(linesOf("12:00 red"), ["12:00 red 7 (early)", "12:00 red 8 (on time)", "12:00 red 13 (late)"]);
      assert.deepEqual(linesOf("12:00 blue"), ["12:00 blue 7 (early)", "12:00 blue 7 (on time)", "12:00 blue 16 (late)"]);
      assert.deepEqual(linesOf("12:01 red"), ["12:01 red 8 (early)", "12:01 red 8 (on time)"]);
      assert.deepEqual(linesOf("12:01 blue"), ["12:01 blue 4 (on time)"]);
      assert.deepEqual(linesOf("12:03"), ["12:03 blue 1 (on time)"]);
    });

    it(`fraud tells of suspicious payments once an hour, and of all cards each day, with ${workers} workers`, async () => {
      const file = join(folder, `cards-${workers}.jsonl`);
      const { code, stdout, stderr } = await beamstorm(["run", "examples/fraud.ts", "--output", file, "--workers", workers]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.trim().split("\n").sort(), [
        "2026-01-01T09:09:00Z card 1001: more than three payments within ten minutes",
        "2026-01-01T09:40:00Z card 1002: in two countries within an hour",
        "2026-01-01T11:33:00Z card 1001: more than three payments within ten minutes",
      ]);
      assert.deepEqual(await jsonLinesOf(file), [
        { day: "2026-01-01", card: "1001", payments: 9, spent: 64 },
        { day: "2026-01-01", card: "1002", payments: 3, spent: 115 },
        { day: "2026-01-01", card: "1003", payments: 1, spent: 7 },
        { day: "2026-01-02", card: "1003", payments: 1, spent: 11 },
      ]);
    });

    it(`click-sessions corrects sessions by late clicks, and keeps what is too late, with ${workers} workers`, async () => {
      const late = join(folder, `late-${workers}.jsonl`);
      const at = (time: string): string => `2026-01-01T${time}:00Z`;
      assert.deepEqual(await output("click-sessions", "--late", late, "--workers", workers), [
        { user: "ada", from: at("09:00"), pages: ["/home", "/search", "/offers", "/cart"], corrected: true },
        { user: "ada", from: at("09:00"), pages: ["/home", "/search"], corrected: false },
        { user: "ada", from: at("09:20"), pages: ["/cart"], corrected: false },
        { user: "ada", from: at("09:50"), pages: ["/home"], corrected: false },
        { user: "bob", from: at("09:05"), pages: ["/home"], corrected: false },
        { user: "bob", from: at("09:40"), pages: ["/help"], corrected: false },
        { user: "bob", from: at("11:00"), pages: ["/home"], corrected: false },
      ]);
      assert.deepEqual(await jsonLinesOf(late), [{ at: at("09:06"), user: "bob", page: "/search" }]);
    });

    it(`payments matches orders with what was paid for them in time, once, with ${workers} workers`, async () => {
      const batches = (await output("payments", "--batch", "2", "--workers", workers)) as {
        customer: string;
        paid: { order: string; payment: string; amount: number }[];
      }[];
      for (const { paid } of batches) assert.ok(paid.length <= 2);
      const told = batches.flatMap(({ customer, paid }) =>
        paid.map(({ order, payment, amount }) => `${customer} ${order} ${payment} ${amount}`),
      );
      assert.deepEqual(told.sort(), ["ada o-1 p-1 30", "ada o-1 p-4 10", "ada o-3 p-3 8", "ada o-5 p-6 5", "bob o-2 p-2 15"]);
    });

    it(`cached-enrichment asks once for each address while answers are good, with ${workers} workers`, async () => {
      const args = ["--users", "40", "--arrivals", "1000", "--ttl", "600", "--workers", workers];
      const found = (await output("cached-enrichment", ...args)) as { user: string; city: string; cached: boolean }[];
      assert.equal(found.length, 40);
      assert.equal(found.filter(({ cached }) => !cached).length, 4);
      for (const { user, city } of found) assert.equal(city, ["Paris", "Oslo", "Quito", "Hanoi"][Number(user.slice(5)) % 4]);
    });
  }

  it("cached-enrichment asks again when answers have expired, no faster than it says", async () => {
    const started = performance.now();
    const found = (await output("cached-enrichment", "--users", "30", "--arrivals", "50", "--ttl", "0.1", "--per-second", "20")) as {
      cached: boolean;
    }[];
    const seconds = (performance.now() - started) / 1000;
    const asked = found.filter(({ cached }) => !cached).length;
    assert.ok(asked > 4, `asked ${asked} times`);
    assert.ok(asked <= 1 + 20 * seconds, `asked ${asked} times in ${seconds} s`);
  });

  for (const workers of ["1", "3"])
    it(`primes counts primes up to each of some numbers with ${workers} workers`, async () => {
      assert.deepEqual(await output("primes", "--limits", "10,1,20000", "--workers", workers), [
        { limit: 10, primes: 4 },
        { limit: 20000, primes: 2262 },
      ]);
    });

  it("new-files counts the orders of files that come, until none comes any more", async () => {
    const [first, second] = ["1.jsonl", "2.jsonl"].map((name) => join(folder, "coming", name));
    await mkdir(join(folder, "coming"));
    await writeFile(first, '{"currency":"EUR"}\n{"currency":"USD"}\n');
    let came = false;
    const { code, stdout, stderr } = await beamstorm(
      ["run", "examples/new-files.ts", "--input", join(folder, "coming", "*.jsonl"), "--quiet", "2"],
      {
        onStdout() {
          if (came) return;
          came = true;
          void writeFile(`${second}.part`, '{"currency":"EUR"}\n').then(() => rename(`${second}.part`, second));
        },
      },
    );
    assert.equal(code, 0, stderr);
    for (const line of ["EUR: 1", "USD: 1", "EUR: 2"]) assert.ok(stdout.split("\n").includes(line), stdout);
  });

  it("top-pages tells of a minute when it is over, while the log goes on", async () => {
    const log = join(folder, "access.log");
    const at = (time: string, page: string): string => `2026-01-01T12:${time}Z ${page}\n`;
    let wasTold = false;
    const running = beamstorm(["run", "examples/top-pages.ts", "--input", log, "--lines", "8", "--top", "2"], {
      onStdout() {
        if (wasTold) return;
        wasTold = true; // the first minute is over, so there is more to come
        void appendFile(log, at("01:10", "/docs"));
      },
    });
    await writeFile(log, at("00:05", "/home") + at("00:07", "/docs") + "no visit\n" + at("00:50", "/home"));
    await appendFile(log, at("01:03", "/help") + at("00:59", "/help")); // out of order, but not late
    await appendFile(log, at("01:05", "/docs"));
    const { code, stdout, stderr } = await running;
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "12:00  /home 2, /docs 1\n12:01  /docs 2, /help 1\n");
  });
});
