// Pipelines of Beam's Python SDK, unmodified, on the built job server; their workers are the client's own (LOOPBACK).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
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

  const python = (...args: string[]): Promise<{ code: number | null; output: string }> => {
    const options = ["--runner=PortableRunner", `--job_endpoint=${server.url}`, "--environment_type=LOOPBACK"];
    const executable = process.env["BEAMSTORM_PEER_PYTHON"];
    assert.ok(executable, "run this by npm run test:interop, which installs the SDK");
    const child = spawn(executable, [...args, ...options], { cwd: folder, timeout: 100_000, killSignal: "SIGKILL" });
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
});
