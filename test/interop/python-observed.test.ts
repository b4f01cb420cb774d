// What can be seen of pipelines of Beam's Python SDK while they run, and what the runner asks of their workers: on a job server in this process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { metricFromMonitoringInfo, readMonitoringInfo } from "../../portability/metrics/index.js";
import type { beam } from "../../portability/protos/index.js";
import type { JobService } from "../../portability/services/index.js";
import { callContext, GrpcConnection, JOB_SERVICE } from "../../portability/transport/index.js";
import { METRIC } from "../../portability/urns/index.js";
import { JobServer } from "../../runner/job-service/index.js";
import { beamstorm, root } from "../support/run-cli.js";

const pipelines = join(root, "test/interop/pipelines");

describe("Pipelines of Beam's Python SDK under way", function () {
  this.timeout(120_000);
  let server: JobServer;
  let connection: GrpcConnection;
  let client: JobService;
  let folder: string;
  let python: string;

  const open = async (parallelism: number): Promise<void> => {
    server = await JobServer.open({ parallelism });
    connection = new GrpcConnection(server.url);
    client = connection.service(JOB_SERVICE);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-interop-"));
    const executable = process.env["BEAMSTORM_PEER_PYTHON"];
    assert.ok(executable, "run this by npm run test:interop, which installs the SDK");
    python = executable;
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    connection.close();
    await server.close();
  });

  const run = (...args: string[]): Promise<{ code: number | null; output: string }> => {
    const options = ["--runner=PortableRunner", `--job_endpoint=${server.url}`];
    const child = spawn(python, [...args, ...options], { cwd: folder, timeout: 100_000, killSignal: "SIGKILL" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output }));
    });
  };

  const linesOf = async (output: string): Promise<string[]> => {
    const shards = (await readdir(dirname(output))).filter((name) => name.startsWith(`${basename(output)}-`));
    const texts = await Promise.all(shards.map((name) => readFile(join(dirname(output), name), "utf8")));
    return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
  };

  const turnsOf = (infos: readonly beam.pipeline.IMonitoringInfo[] | null | undefined): number | undefined =>
    (infos ?? []).map(metricFromMonitoringInfo).find((metric) => metric?.name === "turns")?.value as number | undefined;

  it("have metrics of bundles under way, samples of elements, and what their workers have counted", async () => {
    await open(1);
    const release = join(folder, "release");
    const boot = join(folder, "boot.sh");
    await writeFile(boot, `#!/bin/sh\nexec "${python}" "${join(root, "test/interop/python/boot.py")}" "$@"\n`);
    await chmod(boot, 0o755);
    const environment = ["--environment_type=PROCESS", `--environment_config=${JSON.stringify({ command: boot })}`];
    const ended = run(join(pipelines, "watched.py"), release, ...environment, "--experiments=enable_data_sampling");
    let early: { output: string } | undefined;
    void ended.then((result) => (early = result));
    const until = async <T>(look: (jobId: string) => Promise<T | undefined>): Promise<T> => {
      for (;;) {
        assert.equal(early, undefined, early?.output);
        const [job] = (await client.getJobs({}, callContext())).jobInfo ?? [];
        const found = job?.jobId ? await look(job.jobId) : undefined;
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const metrics = async (jobId: string): Promise<beam.job.IMetricResults> =>
      (await client.getJobMetrics({ jobId }, callContext())).metrics ?? {};

    const { jobId, infos } = await until(async (id) => {
      const { attempted, committed } = await metrics(id);
      return turnsOf(attempted) === undefined ? undefined : { jobId: id, infos: { attempted, committed } };
    });
    assert.ok(turnsOf(infos.attempted)! > 0);
    assert.equal(turnsOf(infos.committed), undefined);
    const sampled = await until(async (id) => {
      const { stdout, code, message } = await beamstorm(["jobs", "sample", id, "--to", server.url]);
      assert.equal(code, 0, message);
      return stdout.includes("'apple'") ? stdout : undefined;
    });
    assert.match(sampled, /^\S+ {2}056170706c65 {2}'apple'$/m);
    await writeFile(release, "");
    const { code, output } = await ended;
    assert.equal(code, 0, output);
    const last = await metrics(jobId);
    assert.equal(turnsOf(last.committed), turnsOf(last.attempted));
    assert.ok(turnsOf(last.committed)! >= turnsOf(infos.attempted)!);
    const calls = last.attempted!.filter(({ urn }) => urn === METRIC.API_REQUEST_COUNT);
    assert.deepEqual(
      calls.map((info) => [info.labels!["SERVICE"], readMonitoringInfo(info)?.value]),
      [["store", 1]],
    );
  });

  it("share the work of one element among tasks", async () => {
    await open(3);
    const output = join(folder, "range");
    const ended = await run(join(pipelines, "shared_range.py"), output, "300", "--environment_type=LOOPBACK");
    assert.equal(ended.code, 0, ended.output);
    const lines = (await linesOf(output)).map((line) => line.split(" ").map(Number));
    assert.deepEqual(
      lines.map(([n]) => n).toSorted((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.ok(Math.max(...lines.map(([, atWork]) => atWork)) > 1);
  });

  it("keep a side input from one bundle to the next", async () => {
    await open(1);
    const output = join(folder, "cached");
    const ended = await run(
      join(pipelines, "cached_side_input.py"),
      output,
      "300000",
      "--environment_type=LOOPBACK",
      "--max_cache_memory_usage_mb=10",
    );
    assert.equal(ended.code, 0, ended.output);
    const lines = (await linesOf(output)).map((line) => line.split(" "));
    assert.equal(lines.length, 300_000);
    assert.deepEqual(new Set(lines.map(([, , length]) => length)), new Set(["6"]));
    const decodings = new Set(lines.map(([, decoded]) => Number(decoded)));
    assert.ok(new Set(lines.map(([bundle]) => bundle)).size > 1);
    assert.ok(Math.max(...decodings) <= 3, `elements of the side input have been decoded ${Math.max(...decodings)} times`);
  });
});
