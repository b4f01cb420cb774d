// The job server over real sockets, with a harness that the test plays: what clients are told, and what becomes of bundles.
import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { callContext, GrpcConnection, JOB_SERVICE } from "../../../../portability/transport/index.js";
import type { JobService } from "../../../../portability/services/index.js";
import { startJobServer, type JobServer } from "../../../../runner/job-service/index.js";
import { FakeHarness, textsOf, windowedText, type FakeProcess } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const { Enum: State } = beam.job.JobState;
const context = callContext();

/** impulse → a → reshuffle → b, both by the fake; texts travel between them. */
function twoSteps(environment: beam.pipeline.IEnvironment, sideInput = false): beam.pipeline.IPipeline {
  const p = new PipelineBuilder();
  p.coders["text"] = { spec: { urn: "beam:coder:string_utf8:v1" } };
  p.coders["global_window"] = { spec: { urn: "beam:coder:global_window:v1" } };
  p.windowingStrategies["global"].windowCoderId = "global_window";
  p.environments["fake"] = environment;
  const a = p.parDo("a", p.impulse(), "increment", { environment: "fake" });
  const spread = p.reshuffle("spread", a);
  const b = sideInput
    ? p.parDoWithSideInputs("b", spread, [p.parDo("side", p.impulse("other"), "increment", { environment: "fake" })], {
        environment: "fake",
      })
    : p.parDo("b", spread, "increment", { environment: "fake" });
  for (const id of [a, b, "spread.0", "side.0"]) if (p.pcollections[id] !== undefined) p.pcollections[id].coderId = "text";
  return p.build();
}

/** Whether a bundle is of the stage with this transform. */
const isOf = (descriptor: beam.fn.IProcessBundleDescriptor, transform: string): boolean => descriptor.transforms?.[transform] !== undefined;

describe("the job server", () => {
  let server: JobServer;
  let connection: GrpcConnection;
  let jobs: JobService;
  let fake: FakeHarness | undefined;

  before(async () => {
    server = await startJobServer();
    connection = new GrpcConnection(server.url);
    jobs = connection.service(JOB_SERVICE);
  });
  afterEach(async () => {
    await fake?.close();
    fake = undefined;
  });
  after(async () => {
    connection.close();
    await server.close();
  });

  async function start(process: FakeProcess, sideInput = false): Promise<string> {
    fake = new FakeHarness(process);
    const { preparationId } = await jobs.prepare({ pipeline: twoSteps(await fake.environment(), sideInput), jobName: "test" }, context);
    return (await jobs.run({ preparationId }, context)).jobId ?? "";
  }

  /** States and messages until the job is over. */
  async function story(jobId: string): Promise<{ states: (number | null | undefined)[]; messages: string[] }> {
    const states: (number | null | undefined)[] = [];
    const messages: string[] = [];
    for await (const { stateResponse, messageResponse } of jobs.getMessageStream({ jobId }, context)) {
      if (stateResponse) states.push(stateResponse.state);
      if (messageResponse) messages.push(messageResponse.messageText ?? "");
    }
    return { states, messages };
  }

  it("runs a pipeline on its environment's harness, and tells the states", async () => {
    const seen: string[] = [];
    const jobId = await start(({ descriptor, input, emit }) => {
      if (isOf(descriptor, "a")) for (const text of ["x", "y"]) emit(windowedText(text));
      else seen.push(...textsOf(input));
      return {};
    });
    assert.deepEqual((await story(jobId)).states, [State.STOPPED, State.STARTING, State.RUNNING, State.DONE]);
    assert.deepEqual(seen.sort(), ["x", "y"]);
    assert.equal((await jobs.getState({ jobId }, context)).state, State.DONE);
    assert.equal(fake?.stopped.length, 1, "its worker is stopped");
    const { metrics } = await jobs.getJobMetrics({ jobId }, context);
    const counts = Object.fromEntries((metrics?.attempted ?? []).map(({ labels, payload }) => [labels?.["PCOLLECTION"], payload?.[0]]));
    assert.equal(counts["a.0"], 2);
  });

  it("gives side inputs out by state, a page at a time", async () => {
    let found: string[] = [];
    const big = "z".repeat(700_000);
    const jobId = await start(async ({ descriptor, input, emit, state }) => {
      if (isOf(descriptor, "a")) emit(windowedText("main"));
      if (isOf(descriptor, "side")) for (const text of ["1", "2", "3"]) emit(windowedText(text + big));
      if (!isOf(descriptor, "b") || input.length === 0) return {};
      const key = { iterableSideInput: { transformId: "b", sideInputId: "side0", window: new Uint8Array() } };
      let token: Uint8Array | undefined;
      let pages = 0;
      do {
        const { get, error } = await state(key, token);
        assert.ok(!error, error ?? "");
        pages++;
        const data = Buffer.from(get?.data ?? []).toString();
        found.push(...(data.match(/[123]z/g) ?? []).map((text) => text[0]));
        token = get?.continuationToken?.length ? get.continuationToken : undefined;
      } while (token !== undefined);
      found = [`${pages} pages`, ...found];
      return {};
    }, true);
    assert.equal((await story(jobId)).states.at(-1), State.DONE);
    assert.deepEqual(found.sort(), ["1", "2", "2 pages", "3"]);
  });

  it("feeds back what a bundle leaves over, until nothing is", async () => {
    const seen: string[] = [];
    const jobId = await start(({ descriptor, input, emit }) => {
      if (isOf(descriptor, "a")) {
        emit(windowedText("3"));
        return {};
      }
      const left = Number(textsOf(input)[0]);
      seen.push(`${left}`);
      if (left === 0) return {};
      return { residualRoots: [{ application: { transformId: "b", inputId: "0", element: windowedText(`${left - 1}`) } }] };
    });
    assert.equal((await story(jobId)).states.at(-1), State.DONE);
    assert.deepEqual(seen, ["3", "2", "1", "0"]);
  });

  it("fails with what the harness says of its user's error", async () => {
    const jobId = await start(({ descriptor }) => {
      if (isOf(descriptor, "a")) throw new Error("Traceback: no luck");
      return {};
    });
    const { states, messages } = await story(jobId);
    assert.equal(states.at(-1), State.FAILED);
    assert.match(messages.at(-1) ?? "", /failed in transform "a": Traceback: no luck/);
  });

  it("fails when the harness goes away", async () => {
    const jobId = await start(() => {
      fake?.die();
      return new Promise(() => {});
    });
    const { states, messages } = await story(jobId);
    assert.equal(states.at(-1), State.FAILED);
    assert.match(messages.at(-1) ?? "", /the harness of environment "fake" at .*(lost|ended)/);
  });

  it("fails when the worker pool cannot start a harness, or is not there", async () => {
    const refusing = new FakeHarness(() => ({}), "no room");
    const gone = new FakeHarness(() => ({}));
    const environments = [await refusing.environment(), await gone.environment()];
    await gone.close();
    for (const [environment, reason] of [
      [environments[0], /cannot be started: no room/],
      [environments[1], /cannot be started: .*/],
    ] as const) {
      const { preparationId } = await jobs.prepare({ pipeline: twoSteps(environment) }, context);
      const { jobId } = await jobs.run({ preparationId }, context);
      const { states, messages } = await story(jobId ?? "");
      assert.equal(states.at(-1), State.FAILED);
      assert.match(messages.at(-1) ?? "", reason);
    }
    await refusing.close();
  });

  it("cancels a job in the midst of a bundle", async () => {
    let reached!: () => void;
    const there = new Promise<void>((resolve) => (reached = resolve));
    const jobId = await start(() => {
      reached();
      return new Promise(() => {});
    });
    await there;
    await jobs.cancel({ jobId }, context);
    assert.equal((await story(jobId)).states.at(-1), State.CANCELLED);
  });

  const refused: readonly (readonly [string, RegExp, (p: beam.pipeline.IPipeline) => void])[] = [
    ["an unknown requirement", /requires what this runner does not know: acme:x/, (p) => (p.requirements = ["acme:x"])],
    [
      "a transform that nobody can execute",
      /transform "a" has the URN acme:teleport/,
      (p) => (p.components!.transforms!["a"].spec = { urn: "acme:teleport" }),
    ],
    [
      "an environment that it cannot start",
      /environment "fake" is of the kind beam:env:docker:v1.*LOOPBACK/,
      (p) => (p.components!.environments!["fake"] = { urn: "beam:env:docker:v1" }),
    ],
  ];
  for (const [what, message, spoil] of refused)
    it(`refuses ${what} before it runs`, async () => {
      const pipeline = twoSteps({
        urn: "beam:env:external:v1",
        payload: beam.pipeline.ExternalPayload.encode({ endpoint: { url: "x:1" } }).finish(),
      });
      spoil(pipeline);
      await assert.rejects(jobs.prepare({ pipeline }, context), (error: unknown) => {
        assert.match((error as Error).message, /^\[INVALID_ARGUMENT\]/);
        assert.match((error as Error).message, message);
        return true;
      });
    });

  it("knows no job that was not prepared, and runs one once", async () => {
    await assert.rejects(jobs.getState({ jobId: "job-999" }, context), /\[NOT_FOUND\] .*job-999/);
    const jobId = await start(() => ({}));
    await assert.rejects(jobs.run({ preparationId: jobId }, context), /\[FAILED_PRECONDITION\]/);
    await story(jobId);
  });

  it("lists jobs, and gives back a pipeline as it was submitted", async () => {
    const jobId = await start(() => ({}));
    await story(jobId);
    const { jobInfo } = await jobs.getJobs({}, context);
    assert.equal(jobInfo?.find((info) => info.jobId === jobId)?.jobName, "test");
    const { pipeline } = await jobs.getPipeline({ jobId }, context);
    assert.ok(pipeline?.components?.transforms?.["spread"] !== undefined);
    assert.deepEqual((await jobs.describePipelineOptions({}, context)).options, []);
    await assert.rejects(jobs.drain({ jobId }, context), /UNIMPLEMENTED/);
  });
});
