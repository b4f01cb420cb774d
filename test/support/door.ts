// Knocks at the door of a job server: calls of each of its services with messages and frames that are nearly right.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { beam } from "../../portability/protos/index.js";
import type { JobService } from "../../portability/services/index.js";
import {
  ARTIFACT_RETRIEVAL_SERVICE,
  ARTIFACT_STAGING_SERVICE,
  callContext,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_LOGGING_SERVICE,
  FN_STATE_SERVICE,
  FN_WORKER_STATUS_SERVICE,
  GrpcConnection,
  JOB_SERVICE,
  SAMPLING_SERVICE,
  PROVISION_SERVICE,
  type MethodDefinition,
} from "../../portability/transport/index.js";
import { FnServer, Harness } from "../../runner/bundles/index.js";
import { JobServer } from "../../runner/job-service/index.js";
import { FakeWorkerPool } from "./fake-harness.js";
import { mutated } from "./mutations.js";
import { PipelineBuilder } from "./pipeline-builder.js";
import { Random } from "./random.js";
import { framed, RawCaller, type RawAnswer } from "./raw-calls.js";

/** Calls under way at once. */
const AT_ONCE = 40;
/** Of so many calls one is a connection with garbage. */
const GARBAGE_EVERY = 50;
/** Calls that one harness is told of. */
const CALLS_OF_A_HARNESS = 20;

interface Knock {
  readonly caller: RawCaller;
  readonly method: MethodDefinition;
  readonly messages: readonly Uint8Array[];
  readonly metadata?: Record<string, string>;
}

const OK = 0;
const INTERNAL = 13;
const UNKNOWN = 2;
/** What a mistake of ours would say. */
const MISTAKE = /undefined|is not a function|is not iterable|Cannot read|Maximum call stack|null|TypeError|RangeError/;

export interface KnockCounts {
  readonly statuses: ReadonlyMap<number, number>;
  readonly jobsRun: number;
}

/** Sends so many, the same for the same seed. @throws AssertionError for an answer that is no status with a sentence, and for none at all */
export async function knock(count: number, seed: number): Promise<KnockCounts> {
  const door = await Door.open(seed);
  try {
    for (let done = 0; done < count; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, () => door.knockOnce()));
    await door.stillWorks();
    return door;
  } finally {
    await door.close();
  }
}

class Door {
  readonly statuses = new Map<number, number>();
  jobsRun = 0;
  private readonly random: Random;
  private readonly jobs: RawCaller;
  private readonly workers: RawCaller;
  private readonly connection: GrpcConnection;
  private readonly service: JobService;
  private readonly seeds: Uint8Array[] = [];
  private readonly jobMessages: (readonly [MethodDefinition, Uint8Array[]])[];
  private readonly fnMessages: (readonly [MethodDefinition, Uint8Array[]])[];
  private knocks = 0;
  private harness: Harness | undefined;
  private overId = "";

  private constructor(
    seed: number,
    private readonly server: JobServer,
    private readonly fnServer: FnServer,
    private readonly pool: FakeWorkerPool,
  ) {
    this.random = new Random(seed);
    this.jobs = new RawCaller(server.url);
    this.workers = new RawCaller(fnServer.url);
    this.connection = new GrpcConnection(server.url);
    this.service = this.connection.service(JOB_SERVICE);
    this.jobMessages = [];
    this.fnMessages = fnMessages();
  }

  static async open(seed: number): Promise<Door> {
    const pool = await FakeWorkerPool.open({
      numbers: (_value, meta, emit) => emit(1, meta),
      side: (_value, meta, emit) => emit(2, meta),
      work: (value, meta, emit) => emit(value, meta),
    });
    const door = new Door(seed, await JobServer.open({ connectTimeoutMs: 2000, silenceMs: 2000 }), await FnServer.open(), pool);
    door.overId = await door.stillWorks();
    door.jobMessages.push(...jobMessages(door.pipeline(), door.overId));
    for (const [, messages] of [...door.jobMessages, ...door.fnMessages]) door.seeds.push(...messages);
    return door;
  }

  async knockOnce(): Promise<void> {
    if (++this.knocks % GARBAGE_EVERY === 0) return this.sendGarbage();
    const { method, caller, messages, metadata } = this.next();
    const { random } = this;
    const frames = Buffer.concat(messages.map(framed));
    const body = random.below(4) === 0 ? mutated(frames, this.seeds, random) : frames;
    const isCutShort = random.below(20) === 0;
    const answer = await caller.call({ path: method.path, metadata, body, isCutShort });
    if (!isCutShort) this.check(method, answer, body);
    if (answer.status === OK && method.name === "prepare") await this.maybeRun(answer, messages[0]);
  }

  /** A job as it should be is run to its end; its id. */
  async stillWorks(): Promise<string> {
    const { preparationId } = await this.service.prepare({ pipeline: this.pipeline(), jobName: "valid" }, callContext());
    await this.service.run({ preparationId }, callContext());
    assert.equal(await this.lastState(preparationId!), beam.job.JobState.Enum.DONE);
    return preparationId!;
  }

  async close(): Promise<void> {
    this.jobs.close();
    this.workers.close();
    this.connection.close();
    this.harness?.close();
    await this.server.close();
    await this.fnServer.close();
    await this.pool.close();
  }

  private next(): Knock {
    const { random } = this;
    if (random.below(2) === 0) {
      const [method, messages] = random.pick(this.jobMessages);
      return { caller: this.jobs, method, messages: this.some(method, messages) };
    }
    const [method, messages] = random.pick(this.fnMessages);
    const workerId = random.below(10) === 0 ? "nobody" : this.harnessOf().workerId;
    const metadata = random.below(20) === 0 ? undefined : { worker_id: workerId };
    return { caller: this.workers, method, messages: this.some(method, messages), metadata };
  }

  private some(method: MethodDefinition, messages: readonly Uint8Array[]): Uint8Array[] {
    const { random, seeds } = this;
    const count = method.requestStream ? random.below(4) : 1;
    return Array.from({ length: count }, () => mutated(random.pick(messages), seeds, random));
  }

  /** One with bundles under way, under the ids of the messages. */
  private harnessOf(): Harness {
    if (this.harness !== undefined && this.knocks % CALLS_OF_A_HARNESS !== 0) return this.harness;
    this.harness?.close();
    const harness = (this.harness = new Harness(`worker-${this.knocks}`, "the harness", { metadata: { a: "b" } }, () => {}));
    this.fnServer.services.add(harness);
    harness.addDescriptor({ id: "stage" });
    for (let i = 0; i < 3; i++)
      harness.startBundle({ elements: () => {}, timers: () => {}, state: () => ({ get: { data: new Uint8Array(10) } }), lost: () => {} });
    return harness;
  }

  private check(method: MethodDefinition, { status, message }: RawAnswer, body: Uint8Array): void {
    const told = `${method.path} answers ${status} "${message}" to ${Buffer.from(body).toString("base64").slice(0, 4000)}`;
    assert.notEqual(status, undefined, told);
    this.statuses.set(status!, (this.statuses.get(status!) ?? 0) + 1);
    if (status === OK) return;
    assert.match(message, /\w+ \w+/, told);
    assert.doesNotMatch(message, MISTAKE, told);
    assert.notEqual(status, UNKNOWN, told);
    if (status === INTERNAL) assert.match(message, /deserializ|Failed to decode|compress|message/i, told); // of a message that is none
  }

  /** Runs a pipeline that was taken, if its workers are still ours. */
  private async maybeRun({ body }: RawAnswer, prepared: Uint8Array): Promise<void> {
    const { preparationId } = beam.job.PrepareJobResponse.decode(body.subarray(5));
    const { pipeline } = beam.job.PrepareJobRequest.decode(prepared);
    const environments = Object.values(pipeline?.components?.environments ?? {});
    const own = Buffer.from(this.pool.environment.payload!);
    if (!environments.every(({ payload }) => own.equals(payload ?? new Uint8Array(0)))) return;
    this.jobsRun++;
    const refused = await this.service.run({ preparationId }, callContext()).then(
      () => false,
      () => true,
    );
    if (refused) return; // it has given way to others, or has files to stage
    await this.service.cancel({ jobId: preparationId }, callContext());
    await this.lastState(preparationId);
  }

  private async lastState(jobId: string): Promise<beam.job.JobState.Enum | null | undefined> {
    let last: beam.job.IJobStateEvent = {};
    for await (const event of this.service.getStateStream({ jobId }, callContext())) last = event;
    return last.state;
  }

  private async sendGarbage(): Promise<void> {
    const { random } = this;
    const port = Number(random.pick([this.server.url, this.fnServer.url]).split(":").at(-1));
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}); // the server may hang up on this
    await once(socket, "connect");
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const noise = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
    const sent = random.pick([
      noise,
      Buffer.concat([preface, settings, noise]),
      mutated(Buffer.concat([preface, settings, settings]), this.seeds, random),
    ]);
    socket.resume();
    socket.write(sent);
    // What the server makes of it is its own affair, as long as it serves others.
    const stillServed = this.service.getState({ jobId: this.overId }, callContext());
    assert.equal((await stillServed).state, beam.job.JobState.Enum.DONE);
    socket.destroy();
  }

  private pipeline(): beam.pipeline.IPipeline {
    const p = new PipelineBuilder();
    for (const id of Object.keys(p.environments)) delete p.environments[id];
    p.environments["remote"] = this.pool.environment;
    p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
    p.windowingStrategies["global"].windowCoderId = "window";
    const remote = { environment: "remote" };
    const numbers = p.parDo("numbers", p.impulse(), "increment", remote);
    p.parDoWithSideInputs("work", p.reshuffle("deal", numbers), [p.parDo("side", p.impulse("other impulse"), "increment", remote)], remote);
    return p.build();
  }
}

/** Methods with messages that they would take. */
function jobMessages(pipeline: beam.pipeline.IPipeline, overId: string): (readonly [MethodDefinition, Uint8Array[]])[] {
  const { job } = beam;
  const id = { jobId: overId };
  const artifact = {
    typeUrn: "beam:artifact:type:file:v1",
    typePayload: Buffer.from("\n\u0004/tmp"),
    roleUrn: "beam:artifact:role:staging_to:v1",
  };
  const pipelineOptions = { fields: { "beam:option:experiments:v1": { listValue: { values: [{ stringValue: "drain" }] } } } };
  const messages: Record<string, Uint8Array[]> = {
    prepare: [job.PrepareJobRequest.encode({ pipeline, jobName: "job", pipelineOptions }).finish()],
    run: [job.RunJobRequest.encode({ preparationId: overId, retrievalToken: "x" }).finish()],
    getJobs: [job.GetJobsRequest.encode({}).finish()],
    getState: [job.GetJobStateRequest.encode(id).finish()],
    getPipeline: [job.GetJobPipelineRequest.encode(id).finish()],
    cancel: [job.CancelJobRequest.encode(id).finish()],
    drain: [job.DrainJobRequest.encode(id).finish()],
    getStateStream: [job.GetJobStateRequest.encode(id).finish()],
    getMessageStream: [job.JobMessagesRequest.encode(id).finish()],
    getJobMetrics: [job.GetJobMetricsRequest.encode(id).finish()],
    sampleData: [beam.fn.SampleDataRequest.encode({ pcollectionIds: ["numbers.0"] }).finish()],
    describePipelineOptions: [job.DescribePipelineOptionsRequest.encode({}).finish()],
    reverseArtifactRetrievalService: [
      job.ArtifactResponseWrapper.encode({ stagingToken: "token" }).finish(),
      job.ArtifactResponseWrapper.encode({ resolveArtifactResponse: { replacements: [artifact] } }).finish(),
      job.ArtifactResponseWrapper.encode({ getArtifactResponse: { data: Buffer.alloc(20) }, isLast: true }).finish(),
    ],
  };
  const methods = [...JOB_SERVICE.methods, ...ARTIFACT_STAGING_SERVICE.methods, ...SAMPLING_SERVICE.methods];
  return methods.map((method) => [method, messages[method.name]]);
}

function fnMessages(): (readonly [MethodDefinition, Uint8Array[]])[] {
  const { fn, job } = beam;
  const instructionId = "1";
  const stateKey = { iterableSideInput: { transformId: "t", sideInputId: "s", window: Buffer.alloc(4) } };
  const artifact = { typeUrn: "beam:artifact:type:file:v1", typePayload: Buffer.from("\n\u0004/tmp") };
  const messages: Record<string, Uint8Array[]> = {
    control: [
      fn.InstructionResponse.encode({
        instructionId,
        processBundle: { monitoringInfos: [{ urn: "u", payload: Buffer.alloc(3) }] },
      }).finish(),
      fn.InstructionResponse.encode({ instructionId, error: "Traceback: no" }).finish(),
      fn.InstructionResponse.encode({ instructionId: "4", processBundleProgress: { monitoringData: { m: Buffer.alloc(2) } } }).finish(),
      fn.InstructionResponse.encode({
        instructionId: "7",
        monitoringInfos: { monitoringInfo: { m: { urn: "u", labels: { a: "b" } } } },
      }).finish(),
    ],
    getProcessBundleDescriptor: [fn.GetProcessBundleDescriptorRequest.encode({ processBundleDescriptorId: "stage" }).finish()],
    data: [
      fn.Elements.encode({ data: [{ instructionId, transformId: "t", data: Buffer.alloc(30) }] }).finish(),
      fn.Elements.encode({
        data: [{ instructionId: "2", transformId: "t", isLast: true }],
        timers: [{ instructionId, timerFamilyId: "f" }],
      }).finish(),
    ],
    state: [
      fn.StateRequest.encode({ id: "1", instructionId, stateKey, get: {} }).finish(),
      fn.StateRequest.encode({
        id: "2",
        instructionId,
        stateKey: { bagUserState: { key: Buffer.alloc(3) } },
        append: { data: Buffer.alloc(9) },
      }).finish(),
      fn.StateRequest.encode({ id: "3", instructionId: "7", stateKey, clear: {} }).finish(),
    ],
    logging: [fn.LogEntry.List.encode({ logEntries: [{ message: "a line", severity: 3, transformId: "t", trace: "at" }] }).finish()],
    workerStatus: [fn.WorkerStatusResponse.encode({ id: "1", statusInfo: "fine" }).finish()],
    getProvisionInfo: [fn.GetProvisionInfoRequest.encode({}).finish()],
    resolveArtifacts: [job.ResolveArtifactsRequest.encode({ artifacts: [artifact], preferredUrns: ["u"] }).finish()],
    getArtifact: [job.GetArtifactRequest.encode({ artifact }).finish()],
  };
  const services = [
    ...[FN_CONTROL_SERVICE, FN_DATA_SERVICE, FN_STATE_SERVICE, FN_LOGGING_SERVICE, FN_WORKER_STATUS_SERVICE],
    ...[PROVISION_SERVICE, ARTIFACT_RETRIEVAL_SERVICE],
  ];
  return services.flatMap(({ methods }) => methods.map((method) => [method, messages[method.name]] as const));
}
