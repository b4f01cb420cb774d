import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beam } from "../../../../portability/protos/index.js";
import { MessageQueue, type JobService } from "../../../../portability/services/index.js";
import {
  ARTIFACT_RETRIEVAL_SERVICE,
  ARTIFACT_STAGING_SERVICE,
  callContext,
  GrpcConnection,
  JOB_SERVICE,
} from "../../../../portability/transport/index.js";
import { METRIC, METRIC_TYPE, SDK_CAPABILITY } from "../../../../portability/urns/index.js";
import { JobServer, type JobServerOptions } from "../../../../runner/job-service/index.js";
import { FakeWorkerPool, type FakeBundle, type FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const State = beam.job.JobState.Enum;

describe("JobServer", () => {
  let server: JobServer;
  /** The one that was opened last, and all of them. */
  let pool: FakeWorkerPool | undefined;
  const pools: FakeWorkerPool[] = [];
  let connection: GrpcConnection;
  let client: JobService;

  beforeEach(async () => {
    server = await JobServer.open();
    connection = new GrpcConnection(server.url);
    client = connection.service(JOB_SERVICE);
  });

  afterEach(async () => {
    connection.close();
    pool = undefined;
    await Promise.all(pools.splice(0).map((each) => each.close()));
    await server.close();
  });

  /** impulse → "work" */
  const pipeline = async (work: FakeTransform): Promise<PipelineBuilder> => {
    pools.push((pool = await FakeWorkerPool.open({ work })));
    const p = new PipelineBuilder();
    p.environments["remote"] = pool.environment;
    p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
    p.windowingStrategies["global"].windowCoderId = "window";
    p.parDo("work", p.impulse(), "increment", { environment: "remote" });
    return p;
  };

  const prepare = async (p: PipelineBuilder): Promise<string> => {
    const { preparationId } = await client.prepare({ pipeline: p.build(), jobName: "test" }, callContext());
    return preparationId!;
  };

  const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const each of stream) all.push(each);
    return all;
  };

  /** A job in the midst of a bundle that never ends; its id. */
  async function endlessJob(): Promise<string> {
    let reached = (): void => {};
    const running = new Promise<void>((resolve) => (reached = resolve));
    const jobId = await prepare(
      await pipeline(() => {
        reached();
        return new Promise(() => {});
      }),
    );
    await client.run({ preparationId: jobId }, callContext());
    await running;
    return jobId;
  }

  it("tells the states of a job to those who ask before it runs", async () => {
    const jobId = await prepare(await pipeline((value, meta, emit) => emit(value, meta)));
    const states = collect(client.getStateStream({ jobId }, callContext()));
    assert.equal((await client.run({ preparationId: jobId }, callContext())).jobId, jobId);
    assert.deepEqual(
      (await states).map(({ state }) => state).filter((state) => state !== State.STOPPED),
      [State.STARTING, State.RUNNING, State.DONE],
    );
    assert.equal((await client.getState({ jobId }, callContext())).state, State.DONE);
    assert.deepEqual(await collect(client.getStateStream({ jobId }, callContext())).then((all) => all.map(({ state }) => state)), [
      State.DONE,
    ]);
  });

  it("tells messages with the states, those that workers log among them", async () => {
    const p = await pipeline(async (_value, _meta, _emit, { harness }) => {
      await harness.log("a line of the log", beam.fn.LogEntry.Severity.Enum.WARN);
    });
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    const events = await collect(client.getMessageStream({ jobId }, callContext()));
    const line = events.findIndex(({ messageResponse }) => messageResponse?.messageText === "a line of the log");
    assert.ok(line > 0);
    assert.equal(events[line].messageResponse!.importance, beam.job.JobMessage.MessageImportance.JOB_MESSAGE_WARNING);
    assert.equal(events.at(-1)?.stateResponse?.state, State.DONE);
  });

  it("tells one error of a failed job, whatever its workers log: why it has failed", async () => {
    const p = await pipeline(async (_value, _meta, _emit, { harness }) => {
      await harness.log("looks bad", beam.fn.LogEntry.Severity.Enum.CRITICAL);
      throw new Error("no such luck");
    });
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    const events = await collect(client.getMessageStream({ jobId }, callContext()));
    const of = (importance: beam.job.JobMessage.MessageImportance) =>
      events.flatMap(({ messageResponse: each }) => (each?.importance === importance ? [each.messageText] : []));
    const Importance = beam.job.JobMessage.MessageImportance;
    assert.match(of(Importance.JOB_MESSAGE_ERROR).join("; "), /^[^;]*no such luck[^;]*$/);
    assert.ok(of(Importance.JOB_MESSAGE_WARNING).includes("looks bad"));
  });

  it("tells nothing again that a worker logs because its client has printed it", async () => {
    let printed = (_line: string): void => {};
    const line = new Promise<string>((resolve) => (printed = resolve));
    const p = await pipeline(async (_value, _meta, _emit, { harness }) => {
      await harness.log("first", beam.fn.LogEntry.Severity.Enum.INFO);
      await harness.log(await line, beam.fn.LogEntry.Severity.Enum.INFO);
      await harness.log("last", beam.fn.LogEntry.Severity.Enum.INFO);
    });
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    const texts: string[] = [];
    for await (const { messageResponse } of client.getMessageStream({ jobId }, callContext())) {
      const text = messageResponse?.messageText ?? "";
      texts.push(text);
      if (text === "first") printed(`INFO (id=${messageResponse!.messageId}) ${text}`);
    }
    assert.deepEqual(
      texts.filter((text) => /first|last/.test(text)),
      ["first", "last"],
    );
  });

  it("ends a failed job with a message that says why", async () => {
    const p = await pipeline(() => {
      throw new Error("no such luck");
    });
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    const events = await collect(client.getMessageStream({ jobId }, callContext()));
    assert.equal(events.at(-1)?.stateResponse?.state, State.FAILED);
    const { importance, messageText } = events.at(-2)!.messageResponse!;
    assert.equal(importance, beam.job.JobMessage.MessageImportance.JOB_MESSAGE_ERROR);
    assert.match(messageText!, /transform "work": Traceback: no such luck/);
  });

  context("with workers that count as processes", () => {
    const calls = (value: number): beam.pipeline.IMonitoringInfo => ({
      urn: METRIC.API_REQUEST_COUNT,
      type: METRIC_TYPE.SUM_INT64_TYPE,
      labels: { SERVICE: "store" },
      payload: Uint8Array.of(value),
    });

    const counting = async (...capabilities: string[]): Promise<readonly beam.pipeline.IMonitoringInfo[]> => {
      const p = await pipeline((_value, _meta, _emit, { harness }) => {
        harness.ownMetrics = [calls(harness.workerId === pool!.harnesses[0].workerId ? 3 : 0)];
      });
      p.environments["remote"] = { ...pool!.environment, capabilities };
      const jobId = await prepare(p);
      await client.run({ preparationId: jobId }, callContext());
      await collect(client.getStateStream({ jobId }, callContext()));
      const { metrics } = await client.getJobMetrics({ jobId }, callContext());
      assert.ok(!metrics!.committed!.some(({ urn }) => urn === METRIC.API_REQUEST_COUNT));
      return metrics!.attempted!.filter(({ urn }) => urn === METRIC.API_REQUEST_COUNT);
    };

    it("has what they have counted by the end among the attempted metrics", async () => {
      const [info, ...others] = await counting(SDK_CAPABILITY.HARNESS_MONITORING_INFOS);
      assert.deepEqual([{ ...info.labels }, [...info.payload!], others], [{ SERVICE: "store" }, [3], []]);
    });

    it("does not ask those that do not say that they count", async () => {
      assert.deepEqual(await counting(), []);
    });
  });

  it("counts elements by PCollection", async () => {
    const p = await pipeline((_value, meta, emit) => {
      for (let i = 0; i < 300; i++) emit(i, meta);
    });
    p.reshuffle("deal", "work.0");
    p.parDo("work too", "deal.0", "increment", { environment: "remote" });
    await pool!.close();
    pool = await FakeWorkerPool.open({
      work: (_value, meta, emit) => {
        for (let i = 0; i < 300; i++) emit(i, meta);
      },
      "work too": () => {},
    });
    pools.push(pool);
    p.environments["remote"] = pool.environment;
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    await collect(client.getStateStream({ jobId }, callContext()));
    const { metrics } = await client.getJobMetrics({ jobId }, callContext());
    const info = metrics!.committed!.find(({ labels }) => labels?.["PCOLLECTION"] === "work.0")!;
    assert.deepEqual([info.urn, info.type, [...info.payload!]], ["beam:metric:element_count:v1", "beam:metrics:sum_int64:v1", [0xac, 2]]);
  });

  it("cancels a job whose workers do not end by themselves", async () => {
    const jobId = await endlessJob();
    assert.equal((await client.cancel({ jobId }, callContext())).state, State.CANCELLING);
    const states = await collect(client.getStateStream({ jobId }, callContext()));
    assert.equal(states.at(-1)!.state, State.CANCELLED);
    assert.equal((await client.cancel({ jobId }, callContext())).state, State.CANCELLED);
  });

  it("drains a job: what was read is processed, then it ends", async () => {
    let finish = (): void => {};
    let reached = (): void => {};
    const running = new Promise<void>((resolve) => (reached = resolve));
    const p = await pipeline(() => new Promise<void>((resolve) => ((finish = resolve), reached())));
    const jobId = await prepare(p);
    await client.run({ preparationId: jobId }, callContext());
    await running;
    assert.equal((await client.drain({ jobId }, callContext())).state, State.DRAINING);
    finish();
    const states = await collect(client.getStateStream({ jobId }, callContext()));
    assert.equal(states.at(-1)!.state, State.DRAINED);
    assert.equal((await client.drain({ jobId }, callContext())).state, State.DRAINED);
  });

  it("takes the experiment that starts a job with its sources drained", async () => {
    const options = {
      fields: { "beam:option:experiments:v1": { listValue: { values: [{ stringValue: "a" }, { stringValue: "b,drain" }] } } },
    };
    const { preparationId } = await client.prepare(
      { pipeline: (await pipeline(() => {})).build(), jobName: "test", pipelineOptions: options },
      callContext(),
    );
    await client.run({ preparationId }, callContext());
    const states = await collect(client.getStateStream({ jobId: preparationId! }, callContext()));
    assert.equal(states.at(-1)!.state, State.DONE);
  });

  it("ends running jobs and their workers when it is closed", async () => {
    await endlessJob();
    await server.close();
    await pool!.harnesses[0].ended;
    assert.deepEqual(pool!.stopped, [pool!.harnesses[0].workerId]);
  });

  it("lists its jobs and gives their pipelines back", async () => {
    const p = await pipeline(() => {});
    const jobId = await prepare(p);
    const { jobInfo } = await client.getJobs({}, callContext());
    assert.deepEqual(
      jobInfo!.map((job) => [job.jobId, job.jobName, job.state]),
      [[jobId, "test", State.STOPPED]],
    );
    const answer = await client.getPipeline({ jobId }, callContext());
    assert.deepEqual(Object.keys(answer.pipeline!.components!.transforms!).sort(), ["impulse", "work"]);
  });

  it("refuses what cannot run, and names it", async () => {
    const p = await pipeline(() => {});
    const refused = (message: RegExp): Promise<void> => assert.rejects(prepare(p), { code: "INVALID_ARGUMENT", message });
    p.transforms["work"].spec!.urn = "x:transform:dance:v1";
    await refused(/"work" has the URN x:transform:dance:v1/);
    p.transforms["work"].spec!.urn = "beam:transform:pardo:v1";
    p.transforms["work"].environmentId = "docker";
    await refused(/"work" cannot be run: environment "docker" \(beam:env:docker:v1\) does not say what to start/);
    p.transforms["work"].environmentId = "remote";
    p.requirements.push("x:requirement:luck:v1");
    await refused(/x:requirement:luck:v1/);
  });

  /** Takes another server, with these options. */
  async function restart(options: JobServerOptions): Promise<void> {
    connection.close();
    await server.close();
    server = await JobServer.open(options);
    connection = new GrpcConnection(server.url);
    client = connection.service(JOB_SERVICE);
  }

  const run = async (jobId: string): Promise<beam.job.JobState.Enum> => {
    await client.run({ preparationId: jobId }, callContext());
    const states = await collect(client.getStateStream({ jobId }, callContext()));
    return states.at(-1)!.state!;
  };

  const lastMessage = async (jobId: string): Promise<string> => {
    const events = await collect(client.getMessageStream({ jobId }, callContext()));
    return events.filter(({ messageResponse }) => messageResponse).at(-1)!.messageResponse!.messageText!;
  };

  it("has as many bundles of a stage under way at once as the option parallelism says", async () => {
    const emitMany: FakeTransform = (_value, meta, emit) => {
      for (let i = 0; i < 300; i++) emit(i, meta);
    };
    const p = await pipeline(emitMany);
    p.reshuffle("deal", "work.0");
    p.parDo("wait", "deal.0", "increment", { environment: "remote" });
    await pool!.close();
    const waiting = new Set<FakeBundle>();
    let meet!: () => void;
    const met = new Promise<void>((resolve) => (meet = resolve));
    pools.push(
      (pool = await FakeWorkerPool.open({
        work: emitMany,
        wait: async (_value, _meta, _emit, bundle) => {
          if (waiting.add(bundle).size > 1) meet();
          await met;
        },
      })),
    );
    p.environments["remote"] = pool.environment;
    const submit = (parallelism: string) => {
      const pipelineOptions = { fields: { "beam:option:parallelism:v1": { stringValue: parallelism } } };
      return client.prepare({ pipeline: p.build(), jobName: "test", pipelineOptions }, callContext());
    };
    await assert.rejects(submit("0"), {
      code: "INVALID_ARGUMENT",
      message: '[INVALID_ARGUMENT] parallelism must be a whole number from 1 to 256, or -1, not "0"',
    });
    const { preparationId } = await submit("2");
    await client.run({ preparationId }, callContext());
    const states = await collect(client.getStateStream({ jobId: preparationId }, callContext()));
    assert.equal(states.at(-1)!.state, State.DONE);
  });

  it("forgets the oldest of the jobs that are over, and fails those that are never run", async () => {
    await restart({ limits: { overJobs: 2, preparedJobs: 2 } });
    const p = await pipeline(() => {});
    const first = await prepare(p);
    const [second, third] = [await prepare(p), await prepare(p)];
    assert.equal((await client.getState({ jobId: first }, callContext())).state, State.FAILED);
    assert.match(await lastMessage(first), /the job was not run, and 2 others have been prepared since/);
    await assert.rejects(client.run({ preparationId: first }, callContext()), { code: "FAILED_PRECONDITION" });
    assert.deepEqual([await run(second), await run(third)], [State.DONE, State.DONE]);
    const { jobInfo } = await client.getJobs({}, callContext());
    assert.deepEqual(
      jobInfo!.map(({ jobId }) => jobId),
      [second, third],
    );
    await assert.rejects(client.getState({ jobId: first }, callContext()), { code: "NOT_FOUND" });
  });

  it("runs several jobs at once, and no more than it may", async () => {
    await restart({ limits: { runningJobs: 2 } });
    const jobs = [await endlessJob(), await endlessJob()];
    const third = await prepare(await pipeline(() => {}));
    await assert.rejects(client.run({ preparationId: third }, callContext()), {
      code: "RESOURCE_EXHAUSTED",
      message: /2 jobs are running/,
    });
    await client.cancel({ jobId: jobs[0] }, callContext());
    await collect(client.getStateStream({ jobId: jobs[0] }, callContext()));
    assert.equal(await run(third), State.DONE);
    assert.equal((await client.getState({ jobId: jobs[1] }, callContext())).state, State.RUNNING);
  });

  it("runs a job to its end whose client has gone with all of its streams", async () => {
    let finish = (): void => {};
    let reached = (): void => {};
    const running = new Promise<void>((resolve) => (reached = resolve));
    const jobId = await prepare(await pipeline(() => new Promise<void>((resolve) => ((finish = resolve), reached()))));
    const gone = new GrpcConnection(server.url);
    const end = new AbortController();
    const streams = [
      gone.service(JOB_SERVICE).getStateStream({ jobId }, callContext({}, end.signal)),
      gone.service(JOB_SERVICE).getMessageStream({ jobId }, callContext({}, end.signal)),
    ].map((stream) => collect<unknown>(stream).catch(() => {}));
    await gone.service(JOB_SERVICE).run({ preparationId: jobId }, callContext());
    await running;
    end.abort();
    gone.close();
    await Promise.all(streams);
    finish();
    const states = await collect(client.getStateStream({ jobId }, callContext()));
    assert.equal(states.at(-1)!.state, State.DONE);
    assert.equal(pool!.stopped.length, 1);
  });

  it("cuts messages that are long, and keeps the latest where they are many", async () => {
    const p = await pipeline(async (_value, _meta, _emit, { harness }) => {
      for (let i = 0; i < 60; i++) await harness.log(`${i} ${"x".repeat(100_000)}`, beam.fn.LogEntry.Severity.Enum.WARN);
    });
    const jobId = await prepare(p);
    await run(jobId);
    const texts = (await collect(client.getMessageStream({ jobId }, callContext()))).flatMap(
      ({ messageResponse }) => messageResponse?.messageText ?? [],
    );
    assert.ok(texts.length < 10 && texts.every((text) => text.length < 70_000));
    assert.match(texts.at(-1)!, /^59 x+… \(100003 characters\)$/);
  });

  it("knows only its own jobs, and runs each once", async () => {
    await assert.rejects(client.getState({ jobId: "x" }, callContext()), { code: "NOT_FOUND" });
    await assert.rejects(collect(client.getStateStream({ jobId: "x" }, callContext())), { code: "NOT_FOUND" });
    const jobId = await prepare(await pipeline(() => {}));
    await assert.rejects(client.drain({ jobId }, callContext()), { code: "FAILED_PRECONDITION" });
    await client.run({ preparationId: jobId }, callContext());
    await assert.rejects(client.run({ preparationId: jobId }, callContext()), { code: "FAILED_PRECONDITION" });
    assert.deepEqual((await client.describePipelineOptions({}, callContext())).options, []);
  });

  context("when a pipeline has artifacts", () => {
    const named = (stagedName: string): beam.pipeline.IArtifactInformation => ({
      typeUrn: "beam:artifact:type:file:v1",
      typePayload: beam.pipeline.ArtifactFilePayload.encode({ path: `/etc/${stagedName}` }).finish(),
      roleUrn: "beam:artifact:role:staging_to:v1",
      rolePayload: beam.pipeline.ArtifactStagingToRolePayload.encode({ stagedName }).finish(),
    });

    /** Plays the client's part; the artifacts it was asked for. */
    const stage = async (stagingToken: string): Promise<string[]> => {
      const answers = new MessageQueue<beam.job.IArtifactResponseWrapper>();
      answers.push({ stagingToken });
      const asked: string[] = [];
      const staging = connection.service(ARTIFACT_STAGING_SERVICE);
      for await (const { resolveArtifact, getArtifact } of staging.reverseArtifactRetrievalService(answers, callContext())) {
        if (resolveArtifact) answers.push({ resolveArtifactResponse: { replacements: resolveArtifact.artifacts } });
        if (!getArtifact) continue;
        const { stagedName } = beam.pipeline.ArtifactStagingToRolePayload.decode(getArtifact.artifact!.rolePayload!);
        asked.push(stagedName);
        for (const part of ["content of ", stagedName]) answers.push({ getArtifactResponse: { data: Buffer.from(part) } });
        answers.push({ getArtifactResponse: {}, isLast: true });
      }
      answers.end();
      return asked;
    };

    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("beamstorm-artifacts-"));

    const filesIn = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

    it("stages them under names that lead nowhere else, and removes them in the end", async () => {
      const p = await pipeline(() => {});
      p.environments["remote"].dependencies = [named("../../../evil"), named("a b.txt")];
      const { artifactStagingEndpoint, stagingSessionToken } = await client.prepare({ pipeline: p.build() }, callContext());
      assert.equal(artifactStagingEndpoint!.url, server.url);
      assert.deepEqual(await stage(stagingSessionToken!), ["../../../evil", "a b.txt"]);
      const staged = (): string[] => folders().flatMap((folder) => filesIn(join(tmpdir(), folder)));
      const mine = staged().filter((file) => /1-__\.\._\.\._evil$|2-a_b\.txt$/.test(file));
      assert.deepEqual(mine.map((file) => readFileSync(file, "utf8")).sort(), ["content of ../../../evil", "content of a b.txt"]);
      await server.close();
      assert.deepEqual(
        mine.filter((file) => existsSync(file)),
        [],
      );
    });

    it("removes them when the job is over", async () => {
      const p = await pipeline(() => {});
      p.environments["remote"].dependencies = [named("of-a-job-that-ends")];
      const { preparationId, stagingSessionToken } = await client.prepare({ pipeline: p.build() }, callContext());
      await stage(stagingSessionToken!);
      const mine = (): string[] =>
        folders()
          .flatMap((folder) => filesIn(join(tmpdir(), folder)))
          .filter((file) => file.endsWith("of-a-job-that-ends"));
      assert.equal(mine().length, 1);
      assert.equal(await run(preparationId!), State.DONE);
      while (mine().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });

    it("fails the job of a client that goes before everything is there", async () => {
      const p = await pipeline(() => {});
      p.environments["remote"].dependencies = [named("a")];
      const { preparationId, stagingSessionToken } = await client.prepare({ pipeline: p.build() }, callContext());
      const gone = new GrpcConnection(server.url);
      const answers = new MessageQueue<beam.job.IArtifactResponseWrapper>();
      answers.push({ stagingToken: stagingSessionToken });
      for await (const request of gone.service(ARTIFACT_STAGING_SERVICE).reverseArtifactRetrievalService(answers, callContext()))
        if (request.resolveArtifact) break;
      gone.close();
      const states = await collect(client.getStateStream({ jobId: preparationId! }, callContext()));
      assert.equal(states.at(-1)!.state, State.FAILED);
      assert.match(await lastMessage(preparationId!), /^its files could not be staged: /);
    });

    it("takes no more bytes and files than it may, and fails the job", async () => {
      for (const [limits, message] of [
        [{ jobBytes: 12 }, /stages more than 12 bytes/],
        [{ jobFiles: 1 }, /stages more than 1 files/],
        [{ totalBytes: 20 }, /jobs of this server have staged 20 bytes/],
      ] as const) {
        await restart({ limits });
        const p = await pipeline(() => {});
        p.environments["remote"].dependencies = [named("a"), named("b")];
        const { preparationId, stagingSessionToken } = await client.prepare({ pipeline: p.build() }, callContext());
        await assert.rejects(stage(stagingSessionToken!), { code: "RESOURCE_EXHAUSTED", message });
        assert.match(await lastMessage(preparationId!), message);
        await pool!.close();
      }
    });

    it("refuses a token that it has not given", async () => {
      await assert.rejects(stage("x"), { code: "INVALID_ARGUMENT" });
    });

    it("does not read other files to workers", async () => {
      const jobId = await prepare(
        await pipeline(async (_value, _meta, _emit, { harness }) => {
          const artifact = named("passwd");
          await assert.rejects(collect(harness.connection.service(ARTIFACT_RETRIEVAL_SERVICE).getArtifact({ artifact }, callContext())), {
            code: "NOT_FOUND",
          });
        }),
      );
      await client.run({ preparationId: jobId }, callContext());
      const states = await collect(client.getStateStream({ jobId }, callContext()));
      assert.equal(states.at(-1)!.state, State.DONE);
    });
  });
});
