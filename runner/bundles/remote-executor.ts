// One stage at a harness: its bundles as orders and streams of bytes.
//
// X1. A bundle is over when its answer and the end of each of its outputs are here, in whatever order they come.
// X2. Elements travel in chunks; what is left goes with the end of the bundle. The harness may begin before it has all of them.
// X3. What a bundle hands back to be gone on with later is a residual of the stage; it comes again like any other element.
// X4. After the first failure nothing is delivered; it is told by whatever is asked next.
// X5. What a harness sends that makes no sense is the harness's failure, and as any of its failures one that another may not have.
// X6. Firings and elements go to the harness in the order in which they were delivered.
// X7. A bundle is ordered when the first of its elements are to go: where a harness takes elements with the order, one that is small is one message.
import { ByteReader, ByteWriter, WindowedValueCoder } from "../../portability/coders/index.js";
import type { Metric } from "../../portability/metrics/index.js";
import { fromInt64, type beam } from "../../portability/protos/index.js";
import type { FiredTimer, StageContext, StageCounts, StageDescriptor, StageExecutor } from "../../portability/stage-host/index.js";
import { SDK_CAPABILITY } from "../../portability/urns/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { readsLargeGroups, type BundlePlan, type BundlePort } from "./bundle-descriptor.js";
import { BundleSplits, leastFraction } from "./bundle-splits.js";
import { harnessError, lossError } from "./harness-error.js";
import type { BundleListener, Harness } from "./harness.js";
import { OutputDrain, type OutputPort } from "./output-drain.js";
import { LargeGroups } from "./large-groups.js";
import { rawCoder } from "./raw-coder.js";
import { ReportedMetrics } from "./reported-metrics.js";
import { SideInputState } from "./side-input-state.js";
import { StageTimers } from "./stage-timers.js";
import { StatefulTransform } from "./stateful-transform.js";
import { UserState } from "./user-state.js";
import { windowCoder } from "./window-coder.js";

/** Bytes of elements that travel together. */
const CHUNK_BYTES = 256 << 10;
/** Chunks of which no copy is made: they are mostly one element. */
const LARGE_CHUNK_BYTES = 4 * CHUNK_BYTES;
/** How long a harness keeps what it wants to do when a bundle is durable, in milliseconds. */
const FINALIZE_WITHIN_MS = 10 * 60_000;

/** Different for every executor of this process. */
let executors = 0;

/** Runs a stage without transforms of its own: it only hands on what it is given. */
export class RemoteExecutor implements StageExecutor, BundleListener {
  readonly setsTimersLate = true;
  private readonly sinks = new Map<string, OutputPort>();
  private readonly passOn: Receiver | undefined;
  private readonly inputCoder: WindowedValueCoder<unknown>;
  private writer = new ByteWriter(CHUNK_BYTES + 4096);
  private readonly drain: OutputDrain;
  private readonly groups: LargeGroups | undefined;
  private readonly sideInputs: SideInputState;
  private readonly stateful: StatefulTransform | undefined;
  private readonly userState: UserState | undefined;
  private readonly stageTimers: StageTimers | undefined;
  /** Of a stage that begins with a splittable transform. */
  private readonly splits: BundleSplits | undefined;
  /** What a harness has cached of state is good for this executor alone: a failed bundle is its end. */
  private readonly cacheTokens: beam.fn.ProcessBundleRequest.ICacheToken[] = [];
  /** Firings of one family that have not gone yet, and how many bytes they are. */
  private readonly firings: Uint8Array[] = [];
  private firingBytes = 0;
  private firingFamily = "";
  private readonly reported: ReportedMetrics;
  /** X7 */
  private readonly takesElementsWithOrder: boolean;
  private taken = 0;
  /** What was counted when a bundle was finished last. */
  private finished: StageCounts = { elements: new Map(), metrics: [] };
  private instructionId: string | undefined;
  /** Of the open bundle. */
  private current: BundlePlan;
  /** Where the elements that have not gone yet are to go. */
  private sourceId: string;
  private answer: Promise<beam.fn.IInstructionResponse> | undefined;
  /** Outputs whose end has not come, timer families among them. */
  private readonly openSinks = new Set<string>();
  private allSinksClosed: () => void = () => {};
  private failure: Error | undefined;
  private onFailure: (error: Error) => void = () => {};

  constructor(
    private readonly harness: Harness,
    private readonly stage: StageDescriptor,
    private readonly plan: BundlePlan,
    private readonly context: StageContext,
    /** For bundles that begin when the job is drained. */
    private readonly drainedPlan: BundlePlan | undefined,
  ) {
    this.drain = new OutputDrain(context);
    this.sideInputs = new SideInputState(stage, context, undefined, (drainedPlan ?? plan).descriptor.transforms);
    this.reported = new ReportedMetrics(drainedPlan?.untruncated?.pcollection);
    this.current = plan;
    this.sourceId = plan.input.transformId;
    const { keyed } = context;
    this.stateful = StatefulTransform.of(stage);
    if (this.stateful !== undefined && keyed !== undefined) {
      this.userState = new UserState(stage, this.stateful, keyed);
      this.stageTimers = new StageTimers(stage, this.stateful, keyed);
    }
    if (this.userState !== undefined) this.cacheTokens.push({ userState: {}, token: Buffer.from(`${harness.workerId}/${++executors}`) });
    const { restrictions } = context;
    if (restrictions !== undefined)
      this.splits = new BundleSplits(harness, restrictions, leastFraction(stage.components.environments?.[stage.environmentId] ?? {}));
    this.groups = readsLargeGroups(stage) ? new LargeGroups() : undefined;
    const { capabilities } = stage.components.environments?.[stage.environmentId] ?? {};
    this.takesElementsWithOrder = capabilities?.includes(SDK_CAPABILITY.CONTROL_REQUEST_ELEMENTS_EMBEDDING) === true;
    this.inputCoder = this.coderOf(plan.input, this.groups);
    this.passOn = context.outputs.get(plan.input.pcollection);
    for (const port of plan.outputs) {
      const receive = context.outputs.get(port.pcollection);
      if (receive !== undefined) this.sinks.set(port.transformId, { coder: this.coderOf(port), receive, elements: 0 });
    }
  }

  receiver(pcollectionId: string): Receiver {
    if (pcollectionId !== this.plan.input.pcollection) throw new Error(`stage ${this.stage.id} has no input ${pcollectionId}`);
    const { passOn, inputCoder } = this;
    const send: Receiver = (value, meta) => {
      this.taken++;
      if (this.firingBytes > 0) this.flushFirings(); // X6
      if (this.current.untruncated !== undefined) this.turnTo(this.sourceFor(value, this.current.untruncated));
      this.splits?.add(this.sourceId, value, meta);
      inputCoder.encodeParts(value, meta, this.writer);
      if (this.writer.length >= CHUNK_BYTES) this.flush();
    };
    const passesOnly = this.stage.transformIds.length === 0;
    if (passOn === undefined) return send;
    return (value, meta) => {
      passOn(value, meta);
      if (passesOnly) this.taken++;
      else send(value, meta);
    };
  }

  fire(timer: FiredTimer): void {
    if (this.writer.length > 0) this.flush(); // X6
    if (this.firingFamily !== timer.family) this.flushFirings();
    const bytes = this.stageTimers!.encode(timer);
    this.firingFamily = timer.family;
    this.firings.push(bytes);
    this.firingBytes += bytes.length;
    if (this.firingBytes >= CHUNK_BYTES) this.flushFirings();
  }

  startBundle(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.stage.transformIds.length === 0) return;
    this.current = (this.context.isDraining?.() === true ? this.drainedPlan : undefined) ?? this.plan;
    this.sourceId = this.plan.input.transformId;
    this.splits?.begin();
    this.groups?.begin();
    if (!this.takesElementsWithOrder) this.order();
  }

  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (!this.drain.isEmpty) return this.orFailure(this.deliverAll());
    const room = this.harness.data.room();
    return room === undefined ? undefined : this.orFailure(room);
  }

  describeWait(): string | undefined {
    return this.instructionId === undefined ? undefined : `${this.harness.name} to process a bundle of ${this.stage.id}`;
  }

  finishBundle(): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.stage.transformIds.length > 0) return this.finish();
  }

  abort(): void {
    this.splits?.stop();
    if (this.instructionId !== undefined) this.harness.endBundle(this.instructionId);
    this.instructionId = undefined;
    this.fail(new Error(`the bundle of ${this.stage.id} was given up`));
    this.drain.clear();
  }

  elementCounts(): ReadonlyMap<string, number> {
    return this.countsWith(this.reported.attempted.elements);
  }

  private countsWith(reported: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const counts = new Map(reported);
    for (const port of this.plan.outputs) counts.set(port.pcollection, this.sinks.get(port.transformId)?.elements ?? 0);
    counts.set(this.plan.input.pcollection, this.taken);
    return counts;
  }

  metrics(): readonly Metric[] {
    return this.reported.attempted.metrics;
  }

  committed(): StageCounts {
    return this.stage.transformIds.length > 0 ? this.finished : { elements: this.elementCounts(), metrics: [] };
  }

  close(): Promise<void> {
    this.drain.clear();
    return Promise.resolve();
  }

  // What the harness says about the bundle.

  elements(sinkId: string, bytes: Uint8Array, isLast: boolean): void {
    if (this.failure !== undefined) return; // X4
    const port = this.sinks.get(sinkId);
    if (port !== undefined && !isLast && !this.keeps(port, bytes)) return;
    try {
      // Delivered at once if there is room; if not, the task waits for it (blocked, finishBundle).
      this.drain.deliver();
    } catch (error) {
      this.harness.makesNoSense(`sends elements that cannot be read: ${(error as Error).message}`, error);
    }
    if (isLast) this.outputEnded(sinkId);
  }

  /** False if there is no room for them, not even on disk: no harness can change that. */
  private keeps(port: OutputPort, bytes: Uint8Array): boolean {
    try {
      this.drain.add(port, bytes);
      return true;
    } catch (cause) {
      this.fail(new Error(`outputs of stage ${this.stage.id} that wait cannot be kept: ${(cause as Error).message}`, { cause }));
      return false;
    }
  }

  timers(familyId: string, bytes: Uint8Array, isLast: boolean): void {
    if (this.failure !== undefined) return; // X4
    try {
      if (bytes.length > 0) this.stageTimers?.apply(familyId, bytes);
    } catch (error) {
      this.harness.makesNoSense(`sends timers that cannot be read: ${(error as Error).message}`, error);
    }
    if (isLast) this.outputEnded(familyEnd(familyId));
  }

  state(request: beam.fn.IStateRequest): beam.fn.IStateResponse {
    return this.groups?.answer(request) ?? this.userState?.answer(request) ?? this.sideInputs.answer(request);
  }

  counted(infos: readonly beam.pipeline.IMonitoringInfo[]): void {
    if (this.failure !== undefined) return; // X4
    try {
      this.reported.progress(infos);
    } catch (error) {
      this.harness.makesNoSense(`tells progress that cannot be read: ${(error as Error).message}`, error);
    }
  }

  lost(error: Error): void {
    this.fail(lossError(error, this.stage));
  }

  /** Has the harness process the bundle that has begun. @param allOf its elements, if that is all */
  private order(allOf?: (instructionId: string) => beam.fn.IElements): string {
    const instructionId = (this.instructionId = this.harness.startBundle(this));
    for (const { transformId } of this.plan.outputs) this.openSinks.add(transformId);
    for (const family of this.stageTimers?.familyIds ?? []) this.openSinks.add(familyEnd(family));
    const cacheTokens = [...this.cacheTokens, ...this.sideInputs.tokens()];
    const processBundle = { processBundleDescriptorId: this.current.descriptor.id, cacheTokens, elements: allOf?.(instructionId) };
    this.answer = this.harness.instruct({ instructionId, processBundle });
    this.answer.then(
      ({ error }) => {
        if (error) this.fail(harnessError(error, this.stage));
      },
      (error: unknown) => this.fail(error as Error),
    );
    return instructionId;
  }

  /** Ends the bundle under way. */
  private async finish(): Promise<void> {
    const bytes = this.writer.length + this.firingBytes;
    if (this.instructionId !== undefined) this.harness.data.push(this.takeRest(this.instructionId), bytes);
    const instructionId = this.instructionId ?? this.order((own) => this.takeRest(own));
    this.splits?.watch(instructionId);
    const response = await this.orFailure(this.answer!);
    if (!response.processBundle) this.harness.makesNoSense("answers the order to process a bundle with something else");
    if (this.splits !== undefined) await this.orFailure(this.harness.owed(this.splits.settled(), "the answer to a split"));
    const ends = new Promise<void>((resolve) => (this.allSinksClosed = resolve));
    if (this.openSinks.size > 0) await this.orFailure(this.harness.owed(ends, "the end of a bundle's outputs")); // X1
    await this.orFailure(this.deliverAll());
    const infos = await this.orFailure(this.harness.infosOf(response.processBundle ?? {}));
    try {
      this.reported.finish(infos);
      for (const residual of response.processBundle?.residualRoots ?? []) this.handBack(residual);
      this.handBackSplit();
    } catch (error) {
      this.harness.makesNoSense(`answers what cannot be read: ${(error as Error).message}`, error);
      throw this.failure ?? error;
    }
    this.harness.endBundle(instructionId);
    this.instructionId = undefined;
    if (response.processBundle?.requiresFinalization === true)
      this.context.onCommitted?.(() => this.finalize(instructionId), FINALIZE_WITHIN_MS);
    this.finished = { elements: this.countsWith(this.reported.committed.elements), metrics: this.reported.committed.metrics };
  }

  private async finalize(instructionId: string): Promise<void> {
    const { harness, stage } = this;
    const { error } = await harness.instruct({ instructionId: harness.newInstructionId(), finalizeBundle: { instructionId } });
    if (error) throw harnessError(error, stage);
  }

  /** What was split off while the bundle was under way. */
  private handBackSplit(): void {
    const { splits, plan, current } = this;
    for (const root of splits?.residualRoots ?? []) this.handBack(root);
    splits?.forEachUnprocessed(({ value, meta }, sourceId) => {
      this.taken--;
      const isTruncated = current.untruncated !== undefined && sourceId === plan.input.transformId;
      this.context.restrictions!.residual({ value, meta, delayMs: 0, watermark: meta.timestamp, isTruncated });
    });
    splits?.begin(); // lets go of what was sent
  }

  /** X3 */
  private handBack({ application, requestedTimeDelay }: beam.fn.IDelayedBundleApplication): void {
    const { stage, plan } = this;
    const { restrictions } = this.context;
    const { transformId, inputId, element, outputWatermarks } = application ?? {};
    const pcollection = plan.descriptor.transforms?.[transformId ?? ""]?.inputs?.[inputId ?? ""];
    if (pcollection !== plan.input.pcollection || restrictions === undefined)
      throw new Error(`stage ${stage.id} hands back work of transform "${transformId}", which its input does not lead to`);
    const { value, meta } = this.inputCoder.decode(new ByteReader(element ?? NO_BYTES), true);
    const watermarks = Object.values(outputWatermarks ?? {}).map(millisOf);
    restrictions.residual({
      value,
      meta,
      delayMs: Math.max(0, millisOf(requestedTimeDelay ?? {})),
      watermark: watermarks.length === 0 ? meta.timestamp : Math.min(...watermarks),
      isTruncated: this.current.untruncated !== undefined,
    });
  }

  /** X5 */
  private async deliverAll(): Promise<void> {
    try {
      await this.drain.deliverAll();
    } catch (error) {
      this.harness.makesNoSense(`sends elements that cannot be read: ${(error as Error).message}`, error);
    }
  }

  /** What of the bundle has not gone yet, and the ends of its inputs. */
  private takeRest(instructionId: string): beam.fn.IElements {
    const { input, untruncated } = this.current;
    const data: beam.fn.Elements.IData[] = this.writer.length > 0 ? [this.takeElements(instructionId)] : [];
    const timers: beam.fn.Elements.ITimers[] = this.firings.length > 0 ? [this.takeFirings(instructionId)] : [];
    for (const { transformId } of untruncated === undefined ? [input] : [input, untruncated])
      data.push({ instructionId, transformId, isLast: true });
    for (const end of this.stageTimers?.ends(instructionId) ?? []) timers.push(end);
    return { data, timers };
  }

  private flush(): void {
    if (this.writer.length === 0) return;
    const elements = this.takeElements(this.instructionId ?? this.order());
    this.harness.data.push({ data: [elements] }, elements.data.length);
  }

  private takeElements(instructionId: string): beam.fn.Elements.IData & { readonly data: Uint8Array } {
    const { writer, sourceId: transformId } = this;
    const isLarge = writer.length >= LARGE_CHUNK_BYTES;
    const data = isLarge ? writer.view() : writer.toBytes();
    if (isLarge)
      this.writer = new ByteWriter(CHUNK_BYTES + 4096); // which keeps nothing of an element that is large
    else writer.reset();
    return { instructionId, transformId, data };
  }

  /** H17 of the interface. */
  private sourceFor(value: unknown, untruncated: BundlePort): string {
    const isDue = this.context.restrictions?.truncation(value) === "due";
    return (isDue ? untruncated : this.plan.input).transformId;
  }

  private turnTo(sourceId: string): void {
    if (sourceId === this.sourceId) return;
    this.flush();
    this.sourceId = sourceId;
  }

  private flushFirings(): void {
    const { firingBytes } = this;
    if (this.firings.length > 0) this.harness.data.push({ timers: [this.takeFirings(this.instructionId ?? this.order())] }, firingBytes);
  }

  private takeFirings(instructionId: string): beam.fn.Elements.ITimers {
    const { firings, firingFamily: timerFamilyId } = this;
    const timers = Buffer.concat(firings, this.firingBytes);
    firings.length = this.firingBytes = 0;
    return { instructionId, transformId: this.stateful!.id, timerFamilyId, timers };
  }

  private outputEnded(id: string): void {
    if (this.openSinks.delete(id) && this.openSinks.size === 0) this.allSinksClosed();
  }

  private coderOf({ coderId, windowCoderId }: BundlePort, groups?: LargeGroups): WindowedValueCoder<unknown> {
    const coders = this.stage.components.coders ?? {};
    return new WindowedValueCoder(rawCoder(coderId, coders, groups), windowCoder(windowCoderId, coders));
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.splits?.stop();
    this.failure = error;
    this.onFailure(error);
  }

  /** X4: a promise that settles with a failure at the latest. */
  private orFailure<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.onFailure = reject;
      promise.then((value) => (this.failure === undefined ? resolve(value) : reject(this.failure)), reject);
    });
  }
}

/** What stands for a timer family among the outputs that are to end. */
const familyEnd = (familyId: string): string => `\u0000${familyId}`;

/** Of an instant as of a duration. */
function millisOf({ seconds, nanos }: { readonly seconds?: Parameters<typeof fromInt64>[0]; readonly nanos?: number | null }): number {
  return Number(fromInt64(seconds)) * 1000 + Math.floor((nanos ?? 0) / 1e6);
}

const NO_BYTES = new Uint8Array(0);
