// `beamstorm jobs` as a process of its own, with a job server and workers in this one.
import assert from "node:assert/strict";
import { callContext, GrpcConnection, GrpcServer, JOB_SERVICE } from "../../portability/transport/index.js";
import { ServiceError, type JobService } from "../../portability/services/index.js";
import { metricToMonitoringInfo } from "../../portability/metrics/index.js";
import { beam, toInt64 } from "../../portability/protos/index.js";
import { METRIC, METRIC_TYPE, SDK_CAPABILITY } from "../../portability/urns/index.js";
import { JobServer } from "../../runner/job-service/index.js";
import { FakeWorkerPool, type FakeTransform } from "../support/fake-harness.js";
import { PipelineBuilder } from "../support/pipeline-builder.js";
import { beamstorm, type CommandResult } from "../support/run-cli.js";

describe("beamstorm jobs", () => {
  let server: JobServer;
  let pool: FakeWorkerPool | undefined;
  let connection: GrpcConnection;
  let client: JobService;

  beforeEach(async () => {
    server = await JobServer.open();
    connection = new GrpcConnection(server.url);
    client = connection.service(JOB_SERVICE);
  });
  afterEach(async () => {
    connection.close();
    await pool?.close();
    pool = undefined;
    await server.close();
  });

  const prepare = async (work: FakeTransform): Promise<string> => {
    pool = await FakeWorkerPool.open({ work });
    const p = new PipelineBuilder();
    p.environments["remote"] = { ...pool.environment, capabilities: [SDK_CAPABILITY.HARNESS_MONITORING_INFOS] };
    p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
    p.windowingStrategies["global"].windowCoderId = "window";
    p.parDo("work", p.impulse(), "increment", { environment: "remote" });
    p.transforms["work"].uniqueName = "do the work";
    return (await client.prepare({ pipeline: p.build(), jobName: "some job" }, callContext())).preparationId!;
  };

  const run = async (work: FakeTransform): Promise<string> => {
    const jobId = await prepare(work);
    await client.run({ preparationId: jobId }, callContext());
    return jobId;
  };

  /** One that waits in its bundle until it is let go. */
  const runLong = async (): Promise<{ jobId: string; finish: () => void }> => {
    let finish = (): void => {};
    let reached = (): void => {};
    const running = new Promise<void>((resolve) => (reached = resolve));
    const jobId = await run(() => new Promise<void>((resolve) => ((finish = resolve), reached())));
    await running;
    return { jobId, finish: () => finish() };
  };

  const jobs = (...args: string[]): Promise<CommandResult> => beamstorm(["jobs", ...args, "--to", server.url]);

  it("lists jobs, for people and for programs", async () => {
    assert.equal((await jobs("list")).stdout, "JOB  NAME  STATE\n");
    const jobId = await run(() => {});
    assert.equal((await jobs("status", jobId, "--wait")).code, 0);
    const { stdout, code } = await jobs("list");
    assert.equal(code, 0);
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(/\s{2,}/)),
      [
        ["JOB", "NAME", "STATE"],
        [jobId, "some job", "DONE"],
      ],
    );
    assert.deepEqual(JSON.parse((await jobs("list", "--json")).stdout), [{ id: jobId, name: "some job", state: "DONE" }]);
  });

  it("says how a job has ended, by the exit code where it waits for it", async () => {
    const jobId = await run(() => {
      throw new Error("no such luck");
    });
    const waited = await jobs("status", jobId, "--wait");
    assert.match(waited.stdout, /^FAILED since \d{4}-\d\d-\d\dT/);
    assert.equal(waited.code, 1);
    const asked = await jobs("status", jobId, "--json");
    const { id, state } = JSON.parse(asked.stdout) as { id: string; state: string };
    assert.deepEqual([id, state, asked.code], [jobId, "FAILED", 0]);
  });

  it("cancels a job, and is over when it is", async () => {
    const { jobId } = await runLong();
    const { stdout, code } = await jobs("cancel", jobId);
    assert.deepEqual([stdout, code], ["CANCELLED\n", 0]);
    assert.equal((await jobs("cancel", jobId)).stdout, "CANCELLED\n");
  });

  it("drains a job, and is over when it is", async () => {
    const { jobId, finish } = await runLong();
    const drained = beamstorm(["jobs", "drain", jobId, "--to", server.url], {
      onStderr: (text) => {
        if (text.includes("DRAINING")) finish();
      },
    });
    const { stdout, code } = await drained;
    assert.deepEqual([stdout, code], ["DRAINED\n", 0]);
  });

  it("cannot drain what does not run yet", async () => {
    const { message, code } = await jobs("drain", await prepare(() => {}));
    assert.match(message, /^error: the job server at .* refuses: job ".*" does not run yet; cancel it instead\n$/);
    assert.equal(code, 2);
  });

  it("prints what was counted", async () => {
    const jobId = await run((_value, meta, emit) => {
      for (let i = 0; i < 1234; i++) emit(i, meta);
    });
    await jobs("status", jobId, "--wait");
    assert.match((await jobs("metrics", jobId)).stdout, /^PCOLLECTION +ELEMENTS\n[^]*impulse\.0 +1\n/);
    const { elements, metrics } = JSON.parse((await jobs("metrics", jobId, "--json")).stdout) as { elements: object; metrics: unknown[] };
    assert.equal((elements as Record<string, number>)["impulse.0"], 1);
    assert.deepEqual(metrics, []);
  });

  it("prints what is counted in bundles under way, and what workers count besides", async () => {
    const info = (urn: string, labels: Record<string, string>, value: number): beam.pipeline.IMonitoringInfo => ({
      urn,
      type: METRIC_TYPE.SUM_INT64_TYPE,
      labels,
      payload: Uint8Array.of(value),
    });
    const own = info(METRIC.API_REQUEST_COUNT, { SERVICE: "store", METHOD: "get" }, 7);
    let finish = (): void => {};
    const jobId = await run(async (_value, _meta, _emit, { harness, counted, asked }) => {
      harness.ownMetrics = [own];
      counted([
        info(METRIC.ELEMENT_COUNT, { PCOLLECTION: "inner" }, 5),
        metricToMonitoringInfo({ transform: "work", namespace: "user", name: "calls", type: "counter", value: 3 }),
      ]);
      await asked();
      await new Promise<void>((resolve) => (finish = resolve));
    });
    let text = "";
    while (!text.includes("inner")) text = (await jobs("metrics", jobId)).stdout;
    assert.match(text, /^inner +0 \(attempted: 5\)$/m);
    assert.match(text, /^ +calls +work +nothing \(attempted: 3\)$/m);
    finish();
    await jobs("status", jobId, "--wait");
    const last = (await jobs("metrics", jobId)).stdout;
    assert.match(last, /^inner +5$/m);
    assert.match(last, /^ +calls +work +3$/m);
    assert.match(last, /^ +io:api_request_count +SERVICE=store METHOD=get +7$/m);
    const { workers } = JSON.parse((await jobs("metrics", jobId, "--json")).stdout) as { workers: unknown[] };
    assert.deepEqual(workers, [{ urn: METRIC.API_REQUEST_COUNT, labels: own.labels, value: 7 }]);
  });

  context("when elements are sampled", () => {
    const text = (value: string): Uint8Array => Buffer.from([value.length, ...Buffer.from(value)]);
    let finish: () => void;

    /** A job with samples of three PCollections: of texts, of pairs of a text and what only the SDK knows, and of what is not what it should be. */
    const sampled = async (experiment: string, capabilities = [SDK_CAPABILITY.DATA_SAMPLING]): Promise<string> => {
      let reached = (): void => {};
      const running = new Promise<void>((resolve) => (reached = resolve));
      pool = await FakeWorkerPool.open({
        work: (_value, _meta, _emit, { harness }) => {
          const exception = { error: "Traceback: no \u001b[2J luck\nat all", transformId: "work" };
          harness.samples = {
            "work.0": [
              { element: text("apple"), sampleTimestamp: { seconds: toInt64(7) } },
              { element: text("pear"), exception },
            ],
            "work.1": [{ element: Buffer.concat([text("key"), text("\u0001\u0002")]) }],
            "work.2": [{ element: Buffer.alloc(100, 0xff) }],
          };
          return new Promise<void>((resolve) => ((finish = resolve), reached()));
        },
      });
      const p = new PipelineBuilder();
      p.environments["remote"] = { ...pool.environment, capabilities };
      p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
      p.windowingStrategies["global"].windowCoderId = "window";
      p.coders["text"] = { spec: { urn: "beam:coder:string_utf8:v1" } };
      p.coders["entry"] = { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["text", "any"] };
      p.parDoOutputs("work", p.impulse(), "increment", 3, "text", { environment: "remote" });
      p.pcollections["work.1"].coderId = "entry";
      p.pcollections["work.1"].uniqueName = "pairs";
      const fields = { "beam:option:experiments:v1": { listValue: { values: [{ stringValue: experiment }] } } };
      const jobId = (await client.prepare({ pipeline: p.build(), jobName: "sampled", pipelineOptions: { fields } }, callContext()))
        .preparationId!;
      await client.run({ preparationId: jobId }, callContext());
      await running;
      return jobId;
    };

    it("prints them as bytes, and what these say where the coder is known", async () => {
      const jobId = await sampled("enable_data_sampling");
      const { stdout, code } = await jobs("sample", jobId);
      assert.equal(code, 0);
      assert.deepEqual(stdout.trimEnd().split("\n"), [
        "work.0  1970-01-01T00:00:07.000Z  056170706c65  'apple'",
        "work.0  0470656172  'pear'",
        "    Traceback: no \ufffd[2J luck",
        "    at all",
        "work.1  036b6579020102  { key: 'key', value: Uint8Array(2) [ 1, 2 ] }",
        `work.2  ${"ff".repeat(32)}…`,
      ]);
      const one = await jobs("sample", jobId, "pairs", "--json");
      assert.deepEqual(JSON.parse(one.stdout), {
        pcollection: "work.1",
        hex: "036b6579020102",
        bytes: 7,
        value: "{ key: 'key', value: Uint8Array(2) [ 1, 2 ] }",
      });
      const { message, code: refused } = await jobs("sample", jobId, "none");
      assert.match(message, /has no PCollection "none"; beamstorm jobs metrics lists them\n$/);
      assert.equal(refused, 2);
      finish();
    });

    it("says why there are none", async () => {
      const without = await sampled("other");
      assert.match(
        (await jobs("sample", without)).message,
        /keep no samples; submit it with the option --experiments=enable_data_sampling\n$/,
      );
      finish();
      await pool!.close();
      const unable = await sampled("enable_data_sampling", []);
      assert.match((await jobs("sample", unable)).message, /do not say that they can keep samples\n$/);
      finish();
      assert.equal((await jobs("status", unable, "--wait")).code, 0);
      assert.match((await jobs("sample", unable)).message, /is DONE, and samples are with workers of a job that runs\n$/);
    });
  });

  it("prints what workers log with the transform, and ends with the job", async () => {
    const { WARN } = beam.fn.LogEntry.Severity.Enum;
    const jobId = await run(async (_value, _meta, _emit, { harness }) => {
      await harness.log("a line", WARN, "work");
      await harness.log("no harm \u001b[2J done", WARN);
    });
    const { stdout, code } = await jobs("logs", jobId);
    assert.equal(code, 0);
    assert.match(stdout, /Z warning do the work: a line\n[^]*warning no harm �\[2J done\n[^]* state +DONE\n$/);
    const lines = (await jobs("logs", jobId, "--json")).stdout.trim().split("\n");
    assert.deepEqual(JSON.parse(lines.at(-1)!), { state: "DONE" });
    assert.ok(lines.map((line) => JSON.parse(line) as { text?: string }).some(({ text }) => text === "do the work: a line"));
  });

  it("prints the topology of a job's pipeline", async () => {
    const jobId = await prepare(() => {});
    assert.match((await jobs("graph", jobId)).stdout, /^spout-1 .*\n[^]*pardo: do the work/);
    assert.match((await jobs("graph", jobId, "--format", "dot")).stdout, /^digraph topology \{/);
    assert.match((await jobs("graph", jobId, "--format", "html")).stdout, /^<!doctype html>/i);
  });

  context("when something is wrong", () => {
    const refuses = ({ stdout, message, code }: CommandResult, expected: RegExp): void => {
      assert.match(message, expected);
      assert.deepEqual([stdout, message.trimEnd().split("\n").length, code], ["", 1, 2]);
    };

    it("says that nobody listens there", async () => {
      const { url } = server;
      await server.close();
      refuses(await beamstorm(["jobs", "list", "--to", url]), new RegExp(`^error: no job server answers at ${url}: `));
    });

    it("says that there is no such job, and how to find out which there are", async () => {
      const expected = /^error: there is no job "x" at .*; beamstorm jobs list --to .* says which there are/;
      for (const name of ["status", "cancel", "drain", "metrics", "logs", "graph"]) refuses(await jobs(name, "x"), expected);
    });

    it("says what a server of somebody else's cannot do", async () => {
      const other = new GrpcServer().add(JOB_SERVICE, {
        getState: () => Promise.reject(new ServiceError("UNKNOWN", "no idea")),
      });
      await other.listen();
      refuses(await beamstorm(["jobs", "drain", "x", "--to", other.url]), /^error: the job server at .* cannot do that: /);
      refuses(await beamstorm(["jobs", "status", "x", "--to", other.url]), /^error: the job server at .* refuses: no idea/);
      await other.close();
    });

    it("wants to know where, and which job", async () => {
      refuses(await beamstorm(["jobs", "list"]), /required option '--to <host:port>' not specified; see beamstorm jobs --help/);
      refuses(await jobs("status"), /missing required argument 'JOB'; see beamstorm jobs --help/);
      refuses(await jobs("dance"), /unknown command 'dance'/);
    });
  });
});
