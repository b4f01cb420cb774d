// An SDK harness in TypeScript: speaks the Fn API over real sockets, and executes functions by transform id on decoded values.
import { ByteReader, ByteWriter, CoderRegistry, ValueCoder, type Coder, type WindowedValueCoder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { MessageQueue } from "../../portability/services/index.js";
import {
  callContext,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_LOGGING_SERVICE,
  FN_STATE_SERVICE,
  FN_WORKER_POOL_SERVICE,
  GrpcConnection,
  GrpcServer,
} from "../../portability/transport/index.js";
import type { ElementMeta } from "../../portability/values/index.js";
import { BUNDLE_PORT } from "../../portability/urns/index.js";

/** What a fake transform can do besides emitting. */
export interface FakeBundle {
  readonly harness: FakeHarness;
  readonly instructionId: string;
  /** Asks the runner for state. */
  state(key: beam.fn.IStateKey, continuationToken?: Uint8Array): Promise<beam.fn.IStateResponse>;
  /** Hands an element of the stage's input back, to be given to it again. */
  later(value: unknown, meta: ElementMeta): void;
}

export type FakeEmit = (value: unknown, meta: ElementMeta, tag?: string) => void;
export type FakeTransform = (value: unknown, meta: ElementMeta, emit: FakeEmit, bundle: FakeBundle) => void | Promise<void>;

interface Stage {
  readonly descriptor: beam.fn.IProcessBundleDescriptor;
  readonly sourceId: string;
  readonly sinkIds: readonly string[];
}

/** A worker pool as an `external` environment names it; its workers are fakes in this process. */
export class FakeWorkerPool {
  readonly harnesses: FakeHarness[] = [];
  readonly stopped: string[] = [];
  private readonly server = new GrpcServer();

  private constructor(
    private readonly functions: Readonly<Record<string, FakeTransform>>,
    private readonly connects: boolean,
  ) {}

  /** @param connects whether its workers call the runner */
  static async open(functions: Readonly<Record<string, FakeTransform>>, connects = true): Promise<FakeWorkerPool> {
    const pool = new FakeWorkerPool(functions, connects);
    await pool.server.add(FN_WORKER_POOL_SERVICE, pool).listen();
    return pool;
  }

  get environment(): beam.pipeline.IEnvironment {
    const payload = beam.pipeline.ExternalPayload.encode({ endpoint: { url: this.server.url } }).finish();
    return { urn: "beam:env:external:v1", payload };
  }

  startWorker({ workerId, controlEndpoint }: beam.fn.IStartWorkerRequest): Promise<beam.fn.IStartWorkerResponse> {
    if (this.connects) this.harnesses.push(new FakeHarness(workerId!, controlEndpoint!.url!, this.functions));
    return Promise.resolve({});
  }

  stopWorker({ workerId }: beam.fn.IStopWorkerRequest): Promise<beam.fn.IStopWorkerResponse> {
    this.stopped.push(workerId!);
    return Promise.resolve({});
  }

  async close(): Promise<void> {
    for (const harness of this.harnesses) harness.die();
    await this.server.close();
  }
}

export class FakeHarness {
  /** Resolves when the runner has ended the control stream. */
  readonly ended: Promise<void>;
  readonly connection: GrpcConnection;
  private readonly responses = new MessageQueue<beam.fn.IInstructionResponse>();
  private readonly out = new MessageQueue<beam.fn.IElements>();
  private readonly requests = new MessageQueue<beam.fn.IStateRequest>();
  private readonly inputs = new Map<string, MessageQueue<beam.fn.Elements.IData>>();
  private readonly answers = new Map<string, (response: beam.fn.IStateResponse) => void>();
  private readonly stages = new Map<string, Promise<Stage>>();
  private readonly registry = new CoderRegistry();
  private streams = false;
  private requestCount = 0;

  constructor(
    readonly workerId: string,
    url: string,
    private readonly functions: Readonly<Record<string, FakeTransform>>,
  ) {
    this.connection = new GrpcConnection(url);
    this.registry.register("test:coder:any", () => new ValueCoder()); // one that the runner does not know
    this.ended = this.serve();
  }

  /** Gone without a word. */
  die(): void {
    this.responses.fail(new Error("died"));
    this.connection.close();
  }

  /** Writes to the runner's log, and waits until it is taken. */
  async log(message: string, severity: beam.fn.LogEntry.Severity.Enum): Promise<void> {
    const entries = new MessageQueue<beam.fn.LogEntry.IList>();
    entries.push({ logEntries: [{ message, severity }] });
    entries.end();
    for await (const control of this.connection.service(FN_LOGGING_SERVICE).logging(entries, this.context())) void control;
  }

  private readonly context = () => callContext({ worker_id: this.workerId });

  private async serve(): Promise<void> {
    try {
      const control = this.connection.service(FN_CONTROL_SERVICE);
      for await (const request of control.control(this.responses, this.context()))
        if (request.processBundle) void this.process(request.instructionId!, request.processBundle.processBundleDescriptorId!);
    } catch {
      // The connection is lost.
    }
    this.responses.end();
    this.out.end();
    this.requests.end();
  }

  private async process(instructionId: string, descriptorId: string): Promise<void> {
    try {
      const stage = await this.stageOf(descriptorId);
      this.openStreams();
      const residualRoots = await this.run(instructionId, stage);
      this.responses.push({ instructionId, processBundle: { residualRoots } });
      // Behind the answer, as the protocol allows.
      for (const transformId of stage.sinkIds) this.out.push({ data: [{ instructionId, transformId, isLast: true }] });
    } catch (error) {
      this.responses.push({ instructionId, error: `Traceback: ${(error as Error).message}` });
    } finally {
      this.inputs.delete(instructionId);
    }
  }

  private async run(instructionId: string, { descriptor, sourceId, sinkIds }: Stage): Promise<beam.fn.IDelayedBundleApplication[]> {
    const transforms = Object.entries(descriptor.transforms!);
    const residuals: beam.fn.IDelayedBundleApplication[] = [];
    const pending: Promise<void>[] = [];
    const inputId = Object.values(descriptor.transforms![sourceId].outputs!)[0];
    const source = this.portCoder(descriptor, sourceId);
    const deliver = (pcollection: string, value: unknown, meta: ElementMeta): void => {
      for (const [id, { inputs, outputs, spec }] of transforms) {
        const tag = Object.keys(inputs ?? {}).find((each) => inputs![each] === pcollection);
        if (tag === undefined || tag.startsWith("side")) continue;
        if (sinkIds.includes(id)) this.send(instructionId, id, this.portCoder(descriptor, id), value, meta);
        else if (spec?.urn === "beam:transform:flatten:v1") deliver(Object.values(outputs!)[0], value, meta);
        else {
          const emit: FakeEmit = (out, outMeta, name = Object.keys(outputs!)[0]) => deliver(outputs![name], out, outMeta);
          const later = (again: unknown, againMeta: ElementMeta): void =>
            void residuals.push({ application: { transformId: id, inputId: tag, element: encode(source, again, againMeta) } });
          const bundle = { harness: this, instructionId, state: this.stateReader(instructionId), later };
          const result = this.functions[id](value, meta, emit, bundle);
          if (result !== undefined) pending.push(result);
        }
      }
    };
    for await (const { data, isLast } of this.inputOf(instructionId)) {
      if (isLast) break;
      for (const reader = new ByteReader(data!); reader.remaining > 0;) {
        const { value, meta } = source.decode(reader, true);
        deliver(inputId, value, meta);
      }
    }
    await Promise.all(pending);
    return residuals;
  }

  private send(instructionId: string, transformId: string, coder: WindowedValueCoder<unknown>, value: unknown, meta: ElementMeta): void {
    this.out.push({ data: [{ instructionId, transformId, data: encode(coder, value, meta) }] });
  }

  private readonly stateReader =
    (instructionId: string) =>
    (stateKey: beam.fn.IStateKey, continuationToken?: Uint8Array): Promise<beam.fn.IStateResponse> =>
      new Promise((resolve) => {
        const id = `${++this.requestCount}`;
        this.answers.set(id, resolve);
        this.requests.push({ id, instructionId, stateKey, get: { continuationToken } });
      });

  private stageOf(id: string): Promise<Stage> {
    let stage = this.stages.get(id);
    if (stage === undefined) this.stages.set(id, (stage = this.fetchStage(id)));
    return stage;
  }

  private async fetchStage(processBundleDescriptorId: string): Promise<Stage> {
    const control = this.connection.service(FN_CONTROL_SERVICE);
    const descriptor = await control.getProcessBundleDescriptor({ processBundleDescriptorId }, this.context());
    const withUrn = (urn: string): string[] =>
      Object.entries(descriptor.transforms!).flatMap(([id, { spec }]) => (spec?.urn === urn ? [id] : []));
    return { descriptor, sourceId: withUrn(BUNDLE_PORT.DATA_SOURCE)[0], sinkIds: withUrn(BUNDLE_PORT.DATA_SINK) };
  }

  private portCoder({ transforms, coders }: beam.fn.IProcessBundleDescriptor, id: string): WindowedValueCoder<unknown> {
    const { coderId } = beam.fn.RemoteGrpcPort.decode(transforms![id].spec!.payload!);
    return this.registry.fromProto(coderId, coders!) as unknown as WindowedValueCoder<unknown>;
  }

  private openStreams(): void {
    if (this.streams) return;
    this.streams = true;
    void this.readData();
    void this.readState();
  }

  private async readData(): Promise<void> {
    try {
      for await (const { data } of this.connection.service(FN_DATA_SERVICE).data(this.out, this.context()))
        for (const each of data!) this.inputOf(each.instructionId!).push(each);
    } catch {
      // Told by the control stream.
    }
  }

  private async readState(): Promise<void> {
    try {
      for await (const response of this.connection.service(FN_STATE_SERVICE).state(this.requests, this.context())) {
        this.answers.get(response.id!)!(response);
        this.answers.delete(response.id!);
      }
    } catch {
      // Told by the control stream.
    }
  }

  private inputOf(instructionId: string): MessageQueue<beam.fn.Elements.IData> {
    let queue = this.inputs.get(instructionId);
    if (queue === undefined) this.inputs.set(instructionId, (queue = new MessageQueue()));
    return queue;
  }
}

function encode(coder: Coder<{ value: unknown; meta: ElementMeta }>, value: unknown, meta: ElementMeta): Uint8Array {
  const writer = new ByteWriter();
  coder.encode({ value, meta }, writer, true);
  return writer.toBytes();
}
