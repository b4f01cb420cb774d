// Pipelines of Beam's Python SDK, unmodified, on the built job server; their workers are the client's own (LOOPBACK).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { JobServerProcess } from "../support/job-server-process.js";
import { root } from "../support/run-cli.js";

const pipelines = join(root, "test/interop/pipelines");

/** The lines of all shards. */
async function linesOf(output: string): Promise<string[]> {
  const shards = (await readdir(dirname(output))).filter((name) => name.startsWith(`${basename(output)}-`));
  const texts = await Promise.all(shards.map((name) => readFile(join(dirname(output), name), "utf8")));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
}

describe("Beam's Python SDK on the job server", function () {
  this.timeout(120_000);
  let server: JobServerProcess;
  let folder: string;

  before(async () => {
    server = await JobServerProcess.start();
    folder = await mkdtemp(join(tmpdir(), "beamstorm-interop-"));
  });
  after(async () => {
    assert.equal(await server.stop(), 0);
    await rm(folder, { recursive: true, force: true });
  });

  const python = (...args: string[]): Promise<{ code: number | null; output: string }> =>
    pythonOn(["--runner=PortableRunner", `--job_endpoint=${server.url}`, "--environment_type=LOOPBACK"], args);

  const pythonOn = (options: readonly string[], args: readonly string[]): Promise<{ code: number | null; output: string }> => {
    const executable = process.env["BEAMSTORM_PEER_PYTHON"];
    assert.ok(executable, "run this by npm run test:interop, which installs the SDK");
    const child = spawn(executable, [...args, ...options], {
      cwd: folder,
      timeout: 100_000,
      killSignal: "SIGKILL",
      env: { ...process.env, PYTHONHASHSEED: "0" }, // one of Beam's examples takes a sample by hashes
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output }));
    });
  };

  for (const text of ["declaration.txt", "opticks.txt"])
    it(`counts the words of ${text} by Beam's own word count`, async () => {
      const input = join(root, "examples/data", text);
      const output = join(folder, text);
      const run = await python("-m", "apache_beam.examples.wordcount", "--input", input, "--output", output);
      assert.equal(run.code, 0, run.output);
      const expected = new Map<string, number>();
      for (const [word] of (await readFile(input, "utf8")).matchAll(/[\p{L}\p{N}_']+/gu)) expected.set(word, (expected.get(word) ?? 0) + 1);
      const counted = (await linesOf(output)).map((line): [string, number] => {
        const [word, count] = line.split(": ");
        return [word, Number(count)];
      });
      assert.equal(counted.length, expected.size);
      assert.deepEqual(new Map(counted), expected);
    });

  it("groups by key, and reads side inputs whole and by key", async () => {
    const output = join(folder, "side");
    const run = await python(join(pipelines, "side_inputs.py"), output);
    assert.equal(run.code, 0, run.output);
    assert.deepEqual((await linesOf(output)).toSorted(), ["a apple,apple 10", "b banana,blueberry 5", "c cherry 0"]);
  });

  it("flattens PCollections of different coders, in windows, over reshuffles", async () => {
    const output = join(folder, "mixed");
    const run = await python(join(pipelines, "mixed.py"), output);
    assert.equal(run.code, 0, run.output);
    const expected = Array.from({ length: 10 }, (_, i) => i * 100).flatMap((start) => {
      const odd = 50 * (start + 50);
      return [`int ${start} ${odd - 50}`, `str ${start} ${odd}`];
    });
    assert.deepEqual((await linesOf(output)).toSorted(), expected.toSorted());
  });

  it("fails a pipeline whose code fails, and shows the traceback to its author", async () => {
    const run = await python(join(pipelines, "failing.py"));
    assert.notEqual(run.code, 0);
    assert.match(run.output, /process failed in transform "divide them"/);
    assert.match(run.output, /failing\.py", line \d+, in divide[^]*ZeroDivisionError: division by zero/);
  });

  context("with Beam's own examples", () => {
    const declaration = join(root, "examples/data/declaration.txt");
    const complete = "apache_beam.examples.complete";

    before(async () => {
      const scores = Array.from({ length: 2000 }, (_, i) => {
        const user = (i * i) % 23;
        const score = user === 7 ? 90 : (i * 7) % 20;
        return `user${user}_t${user % 5},team${user % 5},${score},${1_447_686_663_000 + i * 7000},2015-11-16 15:11:03.921`;
      });
      await writeFile(join(folder, "scores.csv"), [...scores, "no score", ""].join("\n"));
      // One session of each user in each month, no two of the same length: which of equal ones are the top ten nobody says.
      const edits = Array.from({ length: 2 * 17 * 17 }, (_, i) => ({
        month: Math.floor(i / 289),
        user: i % 17,
        edit: Math.floor(i / 17) % 17,
      }))
        .filter(({ user, edit }) => edit <= user)
        .map(({ month, user, edit }) => ({ timestamp: month * 2_592_000 + 100_000 + edit * 60, contributor_username: `u${user}` }));
      await writeFile(join(folder, "edits.json"), edits.map((edit) => `${JSON.stringify(edit)}\n`).join(""));
    });

    for (const [name, ...args] of [
      ["apache_beam.examples.wordcount", "--input", declaration],
      [`${complete}.game.user_score`, "--input", "scores.csv"],
      [`${complete}.autocomplete`, "--input", declaration],
      [`${complete}.tfidf`, "--uris", declaration],
      [`${complete}.top_wikipedia_sessions`, "--input", "edits.json", "--sampling_threshold", "1"],
    ])
      it(`has the output of Beam's own runner for ${name.slice(name.lastIndexOf(".") + 1)}`, async () => {
        await sameOutput((output) => ["-m", name, ...args, "--output", output], name);
      });

    it("has the output of Beam's own runner for the examples of a game, in file mode", async () => {
      await sameOutput((output) => [join(pipelines, "game.py"), "scores.csv", output], "game");
    });

    async function sameOutput(call: (output: string) => string[], name: string): Promise<void> {
      const [expected, actual] = [join(folder, `theirs-${name}`), join(folder, `ours-${name}`)];
      const theirs = await pythonOn(["--runner=DirectRunner"], call(expected));
      assert.equal(theirs.code, 0, theirs.output);
      const ours = await python(...call(actual));
      assert.equal(ours.code, 0, ours.output);
      const lines = (await linesOf(actual)).toSorted();
      assert.ok(lines.length > 0);
      assert.deepEqual(lines, (await linesOf(expected)).toSorted());
    }
  });
});
