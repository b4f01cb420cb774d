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
import { JobServer } from "../../../../runner/job-service/index.js";
import { FakeWorkerPool, type FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const State = beam.job.JobState.Enum;

describe("JobServer", () => {
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

  /** impulse → "work" */
  const pipeline = async (work: FakeTransform): Promise<PipelineBuilder> => {
    pool = await FakeWorkerPool.open({ work });
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
    await refused(/environment "docker" is of the kind beam:env:docker:v1/);
    p.transforms["work"].environmentId = "remote";
    p.coders["window"].spec!.urn = "x:coder:moon_phase:v1";
    await refused(/x:coder:moon_phase:v1/);
    p.requirements.push("x:requirement:luck:v1");
    await refused(/x:requirement:luck:v1/);
  });

  it("knows only its own jobs, runs each once, and drains none", async () => {
    await assert.rejects(client.getState({ jobId: "x" }, callContext()), { code: "NOT_FOUND" });
    await assert.rejects(collect(client.getStateStream({ jobId: "x" }, callContext())), { code: "NOT_FOUND" });
    const jobId = await prepare(await pipeline(() => {}));
    await assert.rejects(client.drain({ jobId }, callContext()), { code: "UNIMPLEMENTED" });
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
