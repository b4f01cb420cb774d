// Pipelines of Beam's Python SDK, from the package as it is published, on our job server: submitted over gRPC, executed by their own harness.
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = process.env["BEAMSTORM_INTEROP_PYTHON"] ?? "python3";

describe("Beam's Python SDK on the job server", function () {
  this.timeout(120_000);
  let folder: string;
  let server: ChildProcess;
  let endpoint: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-interop-"));
    server = spawn(process.execPath, [join(root, "dist/cli/main.js"), "job-server", "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    endpoint = await new Promise<string>((resolve, reject) => {
      server.stdout?.setEncoding("utf8").on("data", (text: string) => {
        const found = /job server at (\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      server.once("exit", (code) => reject(new Error(`the job server ended with ${code}`)));
    });
  });

  after(async () => {
    const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
    server.kill("SIGINT");
    assert.equal(await ended, 0, "the job server ends well");
    await rm(folder, { recursive: true, force: true });
  });

  interface Result {
    readonly failed: boolean;
    readonly stderr: string;
  }

  const submit = (...args: string[]): Promise<Result> => {
    const all = [...args, "--runner=PortableRunner", `--job_endpoint=${endpoint}`, "--environment_type=LOOPBACK"];
    return new Promise((resolve) => {
      execFile(python, all, { cwd: folder, timeout: 100_000, maxBuffer: 64 << 20 }, (error, _stdout, stderr) =>
        resolve({ failed: error !== null, stderr }),
      );
    });
  };

  /** Runs the body of a pipeline `p` that writes to the file `out`; the lines of it, sorted. */
  async function linesOf(body: string): Promise<string[]> {
    const { failed, stderr } = await submit(await script(body));
    assert.ok(!failed, stderr);
    return (await readFile(join(folder, "out"), "utf8")).trim().split("\n").sort();
  }

  async function script(body: string): Promise<string> {
    await rm(join(folder, "out"), { force: true });
    const path = join(folder, "pipeline.py");
    const indented = body.trim().replace(/^/gm, "    ");
    await writeFile(
      path,
      `import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

def keep(value):
  with open("out", "a") as out: out.write(f"{value}\\n")

if __name__ == "__main__":
  with beam.Pipeline(options=PipelineOptions()) as p:
${indented}
`,
    );
    return path;
  }

  it("runs apache_beam.examples.wordcount over real text", async () => {
    const input = join(root, "examples/data/*.txt");
    const { failed, stderr } = await submit("-m", "apache_beam.examples.wordcount", "--input", input, "--output", join(folder, "counts"));
    assert.ok(!failed, stderr);
    const files = (await readdir(folder)).filter((name) => name.startsWith("counts-"));
    assert.equal(files.length, 1, files.join());
    const counted = (await readFile(join(folder, files[0]), "utf8")).trim().split("\n").sort();

    const expected = new Map<string, number>();
    const names = (await readdir(join(root, "examples/data"))).filter((name) => name.endsWith(".txt"));
    for (const name of names)
      for (const word of (await readFile(join(root, "examples/data", name), "utf8")).match(/[\p{L}\p{N}_']+/gu) ?? [])
        expected.set(word, (expected.get(word) ?? 0) + 1);
    assert.deepEqual(counted, [...expected].map(([word, count]) => `${word}: ${count}`).sort());
  });

  it("groups by key, and reads side inputs as a singleton, a list and a dictionary", async () => {
    const lines = await linesOf(`
pairs = p | "pairs" >> beam.Create([("a", 1), ("b", 2), ("a", 3)])
factor = p | "factor" >> beam.Create([10])
extra = p | "extra" >> beam.Create([1, 2])
names = p | "names" >> beam.Create([("a", "Ada"), ("b", "Bob")])
(pairs | beam.GroupByKey()
  | "use" >> beam.Map(lambda kv, f, more, table: f"{table[kv[0]]} {sum(kv[1]) * f + sum(more)}",
      beam.pvalue.AsSingleton(factor), beam.pvalue.AsList(extra), beam.pvalue.AsDict(names))
  | "keep" >> beam.Map(keep))`);
    assert.deepEqual(lines, ["Ada 43", "Bob 23"]);
  });

  it("combines, flattens, windows and reshuffles", async () => {
    const lines = await linesOf(`
numbers = p | "numbers" >> beam.Create(range(10)) | "stamp" >> beam.Map(lambda n: beam.window.TimestampedValue(n, n))
more = p | "more" >> beam.Create([100]) | "stamp more" >> beam.Map(lambda n: beam.window.TimestampedValue(n, 7))
((numbers, more) | beam.Flatten()
  | beam.WindowInto(beam.window.FixedWindows(5)) | beam.Reshuffle()
  | "key" >> beam.Map(lambda n: ("all", n)) | beam.CombinePerKey(sum)
  | "show" >> beam.Map(lambda kv, w=beam.DoFn.WindowParam: f"{int(w.end)} {kv[1]}")
  | "keep" >> beam.Map(keep))`);
    assert.deepEqual(lines, ["10 135", "5 10"]);
  });

  it("tells the author of a failing function what Python says", async () => {
    const { failed, stderr } = await submit(await script(`p | "one" >> beam.Create([0]) | "divide" >> beam.Map(lambda n: 1 / n)`));
    assert.ok(failed);
    assert.match(stderr, /ZeroDivisionError: division by zero \[while running 'divide/);
  });

  it("refuses by name what it cannot do yet", async () => {
    const { failed, stderr } = await submit(
      await script(`
class Stateful(beam.DoFn):
  CELL = beam.transforms.userstate.BagStateSpec("cell", beam.coders.VarIntCoder())
  def process(self, element, cell=beam.DoFn.StateParam(CELL)): cell.add(1)
p | beam.Create([("a", 1)]) | "remember" >> beam.ParDo(Stateful())`),
    );
    assert.ok(failed);
    assert.match(stderr, /transform "remember\S*" uses state \(cell\), which this runner cannot execute yet/);
  });
});
