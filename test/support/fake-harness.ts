// An SDK harness in TypeScript: speaks the Fn API over real sockets, and executes functions by transform id on decoded values.
import {
  ByteReader,
  ByteWriter,
  CoderRegistry,
  ValueCoder,
  type Coder,
  type TimerValue,
  type WindowedValueCoder,
} from "../../portability/coders/index.js";
import { beam, toInt64 } from "../../portability/protos/index.js";
import { MessageQueue } from "../../portability/services/index.js";
import {
  callContext,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_LOGGING_SERVICE,
  FN_STATE_SERVICE,
  FN_WORKER_POOL_SERVICE,
  FN_WORKER_STATUS_SERVICE,
  GrpcConnection,
  GrpcServer,
} from "../../portability/transport/index.js";
import { ElementMeta } from "../../portability/values/index.js";
import { BUNDLE_PORT, PRIMITIVE } from "../../portability/urns/index.js";

/** What a fake transform can do besides emitting. */
export interface FakeBundle {
  readonly harness: FakeHarness;
  readonly instructionId: string;
  /** Asks the runner for state. */
  state(key: beam.fn.IStateKey, continuationToken?: Uint8Array): Promise<beam.fn.IStateResponse>;
  /** Hands an element of the stage's input back, to be given to it again. */
  later(value: unknown, meta: ElementMeta): void;
  /** Appends to state, or clears it. */
  change(key: beam.fn.IStateKey, append?: Uint8Array): Promise<beam.fn.IStateResponse>;
  /** Sets or clears a timer of the transform that the harness runs, at the end of the bundle. */
  timer(family: string, timer: TimerValue<unknown>): void;
  /**
   * What to do when the runner splits the bundle next, and wants this fraction of what is left to stay: hand back the rest of the element; those
   * behind it go back by themselves.
   */
  onSplit(split: (fraction: number) => void): void;
  /** What the bundle has counted so far: said when the runner asks, and at the end. */
  counted(infos: readonly beam.pipeline.IMonitoringInfo[]): void;
  /** Resolves when the runner asks for that next, and has been answered. */
  asked(): Promise<void>;
  /** What the bundle was ordered with. */
  readonly order: beam.fn.IProcessBundleRequest;
  /** Wants to hear when the bundle is durable. */
  finalize(): void;
}

export type FakeEmit = (value: unknown, meta: ElementMeta, tag?: string) => void;
export type FakeTransform = (value: unknown, meta: ElementMeta, emit: FakeEmit, bundle: FakeBundle) => void | Promise<void>;

/** A timer that fires; its function is that of `transform/family`. */
export type FakeFiring = Extract<TimerValue<unknown>, { cleared: false }>;

interface Stage {
  readonly descriptor: beam.fn.IProcessBundleDescriptor;
  readonly sourceId: string;
  readonly sinkIds: readonly string[];
  /** Timer families of the one transform that has any. */
  readonly families: ReadonlyMap<string, Family>;
}

interface Family {
  readonly transformId: string;
  readonly coder: Coder<TimerValue<unknown>>;
}

/** Of one bundle, in the order in which it came. */
type Arrival = beam.fn.Elements.IData | beam.fn.Elements.ITimers;

/** A worker pool as an `external` environment names it; its workers are fakes in this process. */
export class FakeWorkerPool {
  readonly harnesses: FakeHarness[] = [];
  readonly stopped: string[] = [];
  private readonly server = new GrpcServer();

  private constructor(
    private readonly functions: Readonly<Record<string, FakeTransform>>,
    private readonly connects: boolean,
    private readonly embeds: boolean,
  ) {}

  /** @param connects whether its workers call the runner. @param embeds whether they answer with all that a bundle puts out */
  static async open(functions: Readonly<Record<string, FakeTransform>>, connects = true, embeds = false): Promise<FakeWorkerPool> {
    const pool = new FakeWorkerPool(functions, connects, embeds);
    await pool.server.add(FN_WORKER_POOL_SERVICE, pool).listen();
    return pool;
  }

  get environment(): beam.pipeline.IEnvironment {
    const payload = beam.pipeline.ExternalPayload.encode({ endpoint: { url: this.server.url } }).finish();
    return { urn: "beam:env:external:v1", payload };
  }

  startWorker({ workerId, controlEndpoint }: beam.fn.IStartWorkerRequest): Promise<beam.fn.IStartWorkerResponse> {
    if (this.connects) this.harnesses.push(new FakeHarness(workerId!, controlEndpoint!.url!, this.functions, this.embeds));
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
  /** What bundles have put out so far that is to go with their answers. */
  private readonly embedded = new Map<string, beam.fn.IElements>();
  private readonly inputs = new Map<string, MessageQueue<Arrival>>();
  private readonly answers = new Map<string, (response: beam.fn.IStateResponse) => void>();
  private readonly stages = new Map<string, Promise<Stage>>();
  /** What is left of a large group shows as the token to ask for it by, the last of its values. */
  private readonly registry = new CoderRegistry({ stateBackedRest: (inline, token) => [...inline, token] });
  /** Bundles that wanted to hear when they are durable, and those that heard. */
  readonly wantFinalization: string[] = [];
  readonly finalized: string[] = [];
  /** What it says of itself when it is asked. */
  ownMetrics: readonly beam.pipeline.IMonitoringInfo[] = [];
  /** What it keeps as samples, by PCollection. */
  samples: Readonly<Record<string, readonly beam.fn.ISampledElement[]>> = {};
  /** Short ids whose names it was asked for. */
  readonly askedNames: string[] = [];
  private readonly names = new Map<string, { readonly id: string; readonly name: beam.pipeline.IMonitoringInfo }>();
  private readonly questions: (() => void)[] = [];
  private readonly counts = new Map<string, readonly beam.pipeline.IMonitoringInfo[]>();
  /** Ids of the sinks of the stage that it has processed last. */
  sinks: readonly string[] = [];
  /** Whether it says which source a split is about. */
  namesSources = true;
  /** It does not split what wants it to keep less of what is left. */
  keepsAtLeast = 0;
  /** What splits wanted it to keep of what was left. */
  readonly fractions: number[] = [];
  private isSilent = false;
  private readonly splitters = new Map<
    string,
    { split: (fraction: number) => void; taken: beam.fn.IDelayedBundleApplication[]; sourceId: string }
  >();
  /** How many elements of a bundle were begun, and how many are its own after a split. */
  private readonly begun = new Map<string, number>();
  private readonly splitAt = new Map<string, number>();
  private streams = false;
  private requestCount = 0;

  constructor(
    readonly workerId: string,
    url: string,
    private readonly functions: Readonly<Record<string, FakeTransform>>,
    private readonly embeds = false,
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

  /** Connected, and dead to the world. */
  fallSilent(): void {
    this.isSilent = true;
  }

  /** Says something that need not make sense. */
  sendRaw(elements: beam.fn.IElements): void {
    this.put(elements.data?.[0].instructionId ?? "", elements);
  }
  answerRaw(response: beam.fn.IInstructionResponse): void {
    this.responses.push(response);
  }

  /** Answers with this whenever the runner asks for its status. */
  async report(statusInfo: string): Promise<void> {
    const answers = new MessageQueue<beam.fn.IWorkerStatusResponse>();
    try {
      for await (const { id } of this.connection.service(FN_WORKER_STATUS_SERVICE).workerStatus(answers, this.context()))
        answers.push({ id, statusInfo });
    } catch {
      // The connection is lost.
    }
  }

  /** Writes to the runner's log, and waits until it is taken. */
  async log(message: string, severity: beam.fn.LogEntry.Severity.Enum, transformId?: string): Promise<void> {
    const entries = new MessageQueue<beam.fn.LogEntry.IList>();
    entries.push({ logEntries: [{ message, severity, transformId }] });
    entries.end();
    for await (const control of this.connection.service(FN_LOGGING_SERVICE).logging(entries, this.context())) void control;
  }

  private readonly context = () => callContext({ worker_id: this.workerId });

  private async serve(): Promise<void> {
    try {
      const control = this.connection.service(FN_CONTROL_SERVICE);
      for await (const request of control.control(this.responses, this.context()))
        if (request.processBundle) void this.process(request.instructionId!, request.processBundle);
        else if (request.processBundleProgress && !this.isSilent) {
          const monitoringData = this.byShortId(this.counts.get(request.processBundleProgress.instructionId!) ?? []);
          this.responses.push({ instructionId: request.instructionId, processBundleProgress: { monitoringData } });
          for (const resolve of this.questions.splice(0)) resolve();
        } else if (request.monitoringInfos) this.tellNames(request.instructionId!, request.monitoringInfos.monitoringInfoId ?? []);
        else if (request.harnessMonitoringInfos) {
          const monitoringData = this.byShortId(this.ownMetrics);
          this.responses.push({ instructionId: request.instructionId, harnessMonitoringInfos: { monitoringData } });
        } else if (request.sampleData) {
          const wanted = request.sampleData.pcollectionIds ?? [];
          const elementSamples = Object.entries(this.samples).filter(([id]) => wanted.length === 0 || wanted.includes(id));
          this.responses.push({
            instructionId: request.instructionId,
            sampleData: { elementSamples: Object.fromEntries(elementSamples.map(([id, elements]) => [id, { elements: [...elements] }])) },
          });
        } else if (request.processBundleSplit) this.split(request.instructionId!, request.processBundleSplit);
        else if (request.finalizeBundle) {
          this.finalized.push(request.finalizeBundle.instructionId!);
          this.responses.push({ instructionId: request.instructionId, finalizeBundle: {} });
        }
    } catch {
      // The connection is lost.
    }
    this.responses.end();
    this.out.end();
    this.requests.end();
  }

  /** Values by ids of the harness's own, which the runner has to ask it for. */
  private byShortId(infos: readonly beam.pipeline.IMonitoringInfo[]): Record<string, Uint8Array> {
    const data = infos.map(({ payload, ...name }): [string, Uint8Array] => {
      const key = JSON.stringify(name);
      if (!this.names.has(key)) this.names.set(key, { id: `m${this.names.size}`, name });
      return [this.names.get(key)!.id, payload!];
    });
    return Object.fromEntries(data);
  }

  private tellNames(instructionId: string, ids: readonly string[]): void {
    this.askedNames.push(...ids);
    const known = new Map([...this.names.values()].map(({ id, name }) => [id, name]));
    const monitoringInfo = Object.fromEntries(ids.map((id) => [id, known.get(id)!]));
    this.responses.push({ instructionId, monitoringInfos: { monitoringInfo } });
  }

  private split(instructionId: string, { instructionId: bundle, desiredSplits }: beam.fn.IProcessBundleSplitRequest): void {
    const bundleId = bundle!;
    for (const { fractionOfRemainder } of Object.values(desiredSplits ?? {})) this.fractions.push(fractionOfRemainder ?? 0);
    const splitter = this.fractions.at(-1)! < this.keepsAtLeast ? undefined : this.splitters.get(bundleId);
    if (splitter !== undefined) this.splitters.delete(bundleId);
    if (splitter === undefined) {
      this.responses.push({ instructionId, processBundleSplit: {} });
      return;
    }
    splitter.split(Object.values(desiredSplits!)[0].fractionOfRemainder!);
    const firstResidual = this.begun.get(bundleId)!;
    this.splitAt.set(bundleId, firstResidual);
    const transformId = this.namesSources ? splitter.sourceId : "";
    const channelSplits = [{ transformId, firstResidualElement: toInt64(firstResidual) }];
    this.responses.push({ instructionId, processBundleSplit: { residualRoots: splitter.taken.splice(0), channelSplits } });
  }

  private async process(instructionId: string, order: beam.fn.IProcessBundleRequest): Promise<void> {
    try {
      const stage = await this.stageOf(order.processBundleDescriptorId!);
      this.sinks = stage.sinkIds;
      this.openStreams();
      for (const each of [...(order.elements?.data ?? []), ...(order.elements?.timers ?? [])]) this.inputOf(each.instructionId!).push(each);
      if (this.embeds) this.embedded.set(instructionId, { data: [], timers: [] });
      const residualRoots = await this.run(instructionId, order, stage);
      const monitoringData = this.byShortId(this.counts.get(instructionId) ?? []);
      const requiresFinalization = this.wantFinalization.includes(instructionId);
      const data = stage.sinkIds.map((transformId) => ({ instructionId, transformId, isLast: true }));
      const timers = [...stage.families].map(([timerFamilyId, { transformId }]) => ({
        instructionId,
        transformId,
        timerFamilyId,
        isLast: true,
      }));
      if (this.embeds) this.put(instructionId, { data, timers });
      const elements = this.embedded.get(instructionId);
      this.responses.push({ instructionId, processBundle: { residualRoots, requiresFinalization, monitoringData, elements } });
      if (!this.embeds) this.put(instructionId, { data, timers }); // behind the answer, as the protocol allows
    } catch (error) {
      this.responses.push({ instructionId, error: `Traceback: ${(error as Error).message}` });
    } finally {
      this.inputs.delete(instructionId);
      this.embedded.delete(instructionId);
      this.counts.delete(instructionId);
    }
  }

  private async run(
    instructionId: string,
    order: beam.fn.IProcessBundleRequest,
    { descriptor, sourceId, sinkIds, families }: Stage,
  ): Promise<beam.fn.IDelayedBundleApplication[]> {
    const transforms = Object.entries(descriptor.transforms!);
    const residuals: beam.fn.IDelayedBundleApplication[] = [];
    const pending: Promise<void>[] = [];
    const inputId = Object.values(descriptor.transforms![sourceId].outputs!)[0];
    const source = this.portCoder(descriptor, sourceId);
    const set: [family: string, timer: TimerValue<unknown>][] = [];
    const call = (id: string, name: string, value: unknown, meta: ElementMeta, emit: FakeEmit, later: FakeBundle["later"]): void => {
      const finalize = (): void => void this.wantFinalization.push(instructionId);
      const timer: FakeBundle["timer"] = (family, own) => void set.push([family, own]);
      const state = this.stateReader(instructionId);
      const change = this.stateChanger(instructionId);
      const onSplit: FakeBundle["onSplit"] = (split) => void this.splitters.set(instructionId, { split, taken: residuals, sourceId });
      const counted: FakeBundle["counted"] = (infos) => void this.counts.set(instructionId, infos);
      const asked = (): Promise<void> => new Promise((resolve) => void this.questions.push(resolve));
      const bundle = { harness: this, instructionId, order, state, change, timer, later, onSplit, counted, asked, finalize };
      const result = this.functions[name](value, meta, emit, bundle);
      if (result !== undefined) pending.push(result);
    };
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
          call(id, id, value, meta, emit, later);
        }
      }
    };
    const emitOf =
      (id: string): FakeEmit =>
      (out, outMeta, name = Object.keys(descriptor.transforms![id].outputs!)[0]) =>
        deliver(descriptor.transforms![id].outputs![name], out, outMeta);
    let open = 1 + families.size;
    let index = 0;
    for await (const arrival of this.inputOf(instructionId)) {
      if (arrival.isLast && --open === 0) break;
      if ("timers" in arrival && arrival.timers?.length) {
        const family = families.get(arrival.timerFamilyId!)!;
        for (const reader = new ByteReader(arrival.timers); reader.remaining > 0;) {
          const firing = family.coder.decode(reader, true) as FakeFiring;
          const meta = new ElementMeta(firing.holdTimestamp, firing.windows, firing.pane);
          call(family.transformId, `${family.transformId}/${arrival.timerFamilyId}`, firing, meta, emitOf(family.transformId), noResidual);
          await Promise.all(pending.splice(0)); // one call at a time
        }
      } else if ("data" in arrival && arrival.data?.length)
        for (const reader = new ByteReader(arrival.data); reader.remaining > 0;) {
          const { value, meta } = source.decode(reader, true);
          if (index >= (this.splitAt.get(instructionId) ?? Infinity)) continue;
          this.begun.set(instructionId, ++index);
          deliver(inputId, value, meta);
          await Promise.all(pending.splice(0)); // one call at a time
        }
    }
    await Promise.all(pending);
    for (const [timerFamilyId, timer] of set) {
      const { transformId, coder } = families.get(timerFamilyId)!;
      const writer = new ByteWriter();
      coder.encode(timer, writer, true);
      this.put(instructionId, { timers: [{ instructionId, transformId, timerFamilyId, timers: writer.toBytes() }] });
    }
    return residuals;
  }

  private put(instructionId: string, elements: beam.fn.IElements): void {
    const embedded = this.embedded.get(instructionId);
    if (embedded === undefined) this.out.push(elements);
    else {
      embedded.data!.push(...(elements.data ?? []));
      embedded.timers!.push(...(elements.timers ?? []));
    }
  }

  private send(instructionId: string, transformId: string, coder: WindowedValueCoder<unknown>, value: unknown, meta: ElementMeta): void {
    this.put(instructionId, { data: [{ instructionId, transformId, data: encode(coder, value, meta) }] });
  }

  private readonly stateReader =
    (instructionId: string) =>
    (stateKey: beam.fn.IStateKey, continuationToken?: Uint8Array): Promise<beam.fn.IStateResponse> =>
      new Promise((resolve) => {
        const id = `${++this.requestCount}`;
        this.answers.set(id, resolve);
        this.requests.push({ id, instructionId, stateKey, get: { continuationToken } });
      });

  private readonly stateChanger =
    (instructionId: string) =>
    (stateKey: beam.fn.IStateKey, data?: Uint8Array): Promise<beam.fn.IStateResponse> =>
      new Promise((resolve) => {
        const id = `${++this.requestCount}`;
        this.answers.set(id, resolve);
        this.requests.push({ id, instructionId, stateKey, ...(data === undefined ? { clear: {} } : { append: { data } }) });
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
    const families = new Map<string, Family>();
    for (const transformId of withUrn(PRIMITIVE.PAR_DO)) {
      const { timerFamilySpecs } = beam.pipeline.ParDoPayload.decode(
        descriptor.transforms![transformId].spec!.payload ?? new Uint8Array(0),
      );
      for (const [id, { timerFamilyCoderId }] of Object.entries(timerFamilySpecs)) {
        const coder = this.registry.fromProto(timerFamilyCoderId!, descriptor.coders!) as Coder<TimerValue<unknown>>;
        families.set(id, { transformId, coder });
      }
    }
    return { descriptor, sourceId: withUrn(BUNDLE_PORT.DATA_SOURCE)[0], sinkIds: withUrn(BUNDLE_PORT.DATA_SINK), families };
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
      for await (const { data, timers } of this.connection.service(FN_DATA_SERVICE).data(this.out, this.context()))
        for (const each of [...(data ?? []), ...(timers ?? [])]) this.inputOf(each.instructionId!).push(each);
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

  private inputOf(instructionId: string): MessageQueue<Arrival> {
    let queue = this.inputs.get(instructionId);
    if (queue === undefined) this.inputs.set(instructionId, (queue = new MessageQueue()));
    return queue;
  }
}

const noResidual = (): void => {
  throw new Error("timers have nothing to hand back");
};

function encode(coder: Coder<{ value: unknown; meta: ElementMeta }>, value: unknown, meta: ElementMeta): Uint8Array {
  const writer = new ByteWriter();
  coder.encode({ value, meta }, writer, true);
  return writer.toBytes();
}
