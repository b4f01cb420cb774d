// One stage at a harness: its bundles as orders and streams of bytes.
//
// X1. A bundle is over when its answer and the end of each of its outputs are here, in whatever order they come.
// X2. Elements travel in chunks; what is left goes with the end of the bundle. The harness may begin before it has all of them.
// X3. What a bundle hands back to be gone on with later makes a further bundle, within the same `finishBundle`.
// X4. After the first failure nothing is delivered; it is told by whatever is asked next.
import { ByteWriter, CoderRegistry, WindowedValueCoder, type Coder } from "../../portability/coders/index.js";
import { mergeMetrics, metricFromMonitoringInfo, type Metric } from "../../portability/metrics/index.js";
import { fromInt64, type beam } from "../../portability/protos/index.js";
import type { StageContext, StageCounts, StageDescriptor, StageExecutor } from "../../portability/stage-host/index.js";
import type { Receiver, Window } from "../../portability/values/index.js";
import type { BundlePlan, BundlePort } from "./bundle-descriptor.js";
import { harnessError } from "./harness-error.js";
import type { BundleListener, Harness } from "./harness.js";
import { OutputDrain, type OutputPort } from "./output-drain.js";
import { rawCoder } from "./raw-coder.js";
import { elementCountsOf } from "./reported-counts.js";
import { SideInputState } from "./side-input-state.js";

/** Bytes of elements that travel together. */
const CHUNK_BYTES = 256 << 10;
/** Residual work is asked for again after this long at most, in milliseconds. */
const MAX_DELAY_MS = 60_000;

/** Runs a stage without transforms of its own: it only hands on what it is given. */
export class RemoteExecutor implements StageExecutor, BundleListener {
  private readonly sinks = new Map<string, OutputPort>();
  private readonly passOn: Receiver | undefined;
  private readonly inputCoder: WindowedValueCoder<unknown>;
  private readonly writer = new ByteWriter(CHUNK_BYTES + 4096);
  private readonly drain: OutputDrain;
  private readonly sideInputs: SideInputState;
  private readonly innerCounts = new Map<string, number>();
  private userMetrics: readonly Metric[] = [];
  private taken = 0;
  /** What was counted when a bundle was finished last. */
  private finished: StageCounts = { elements: new Map(), metrics: [] };
  private instructionId: string | undefined;
  private answer: Promise<beam.fn.IInstructionResponse> | undefined;
  private readonly openSinks = new Set<string>();
  private allSinksClosed: () => void = () => {};
  private failure: Error | undefined;
  private onFailure: (error: Error) => void = () => {};

  constructor(
    private readonly harness: Harness,
    private readonly stage: StageDescriptor,
    private readonly plan: BundlePlan,
    private readonly context: StageContext,
  ) {
    this.drain = new OutputDrain(context);
    this.sideInputs = new SideInputState(stage, context);
    this.inputCoder = this.coderOf(plan.input);
    this.passOn = context.outputs.get(plan.input.pcollection);
    for (const port of plan.outputs) {
      const receive = context.outputs.get(port.pcollection);
      if (receive !== undefined) this.sinks.set(port.transformId, { coder: this.coderOf(port), receive, elements: 0 });
    }
  }

  receiver(pcollectionId: string): Receiver {
    if (pcollectionId !== this.plan.input.pcollection) throw new Error(`stage ${this.stage.id} has no input ${pcollectionId}`);
    const { passOn, inputCoder, writer } = this;
    const send: Receiver = (value, meta) => {
      this.taken++;
      inputCoder.encodeParts(value, meta, writer);
      if (writer.length >= CHUNK_BYTES) this.flush();
    };
    const passesOnly = this.stage.transformIds.length === 0;
    if (passOn === undefined) return send;
    return (value, meta) => {
      passOn(value, meta);
      if (passesOnly) this.taken++;
      else send(value, meta);
    };
  }

  startBundle(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.stage.transformIds.length > 0) this.order();
  }

  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (!this.drain.isEmpty) return this.orFailure(this.drain.deliverAll());
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
    if (this.instructionId !== undefined) this.harness.endBundle(this.instructionId);
    this.instructionId = undefined;
    this.fail(new Error(`the bundle of ${this.stage.id} was given up`));
    this.drain.clear();
  }

  elementCounts(): ReadonlyMap<string, number> {
    const counts = new Map(this.innerCounts);
    for (const port of this.plan.outputs) counts.set(port.pcollection, this.sinks.get(port.transformId)?.elements ?? 0);
    counts.set(this.plan.input.pcollection, this.taken);
    return counts;
  }

  metrics(): readonly Metric[] {
    return this.userMetrics;
  }

  committed(): StageCounts {
    return this.stage.transformIds.length > 0 ? this.finished : { elements: this.elementCounts(), metrics: [] };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  // What the harness says about the bundle.

  elements(sinkId: string, bytes: Uint8Array, isLast: boolean): void {
    if (this.failure !== undefined) return; // X4
    const port = this.sinks.get(sinkId);
    try {
      if (port !== undefined && !isLast) this.drain.add(port, bytes);
      // Delivered at once if there is room; if not, the task waits for it (blocked, finishBundle).
      this.drain.deliver();
    } catch (error) {
      this.fail(error as Error);
    }
    if (isLast && this.openSinks.delete(sinkId) && this.openSinks.size === 0) this.allSinksClosed();
  }

  state(request: beam.fn.IStateRequest): beam.fn.IStateResponse {
    return this.sideInputs.answer(request);
  }

  lost(error: Error): void {
    this.fail(error);
  }

  private order(): void {
    this.instructionId = this.harness.startBundle(this);
    for (const { transformId } of this.plan.outputs) this.openSinks.add(transformId);
    const { instructionId, plan } = this;
    this.answer = this.harness.instruct({ instructionId, processBundle: { processBundleDescriptorId: plan.descriptor.id } });
    this.answer.then(
      ({ error }) => {
        if (error) this.fail(harnessError(error, this.stage));
      },
      (error: unknown) => this.fail(error as Error),
    );
  }

  private async finish(): Promise<void> {
    for (;;) {
      const residuals = await this.complete();
      if (residuals.length === 0) {
        this.finished = { elements: this.elementCounts(), metrics: this.userMetrics };
        return;
      }
      await this.orFailure(pause(delayOf(residuals)));
      this.order(); // X3
      for (const { application } of residuals) {
        this.writer.writeBytes(application?.element ?? NO_BYTES);
        if (this.writer.length >= CHUNK_BYTES) this.flush();
      }
    }
  }

  /** Ends the bundle under way; what it hands back. */
  private async complete(): Promise<readonly beam.fn.IDelayedBundleApplication[]> {
    this.flush();
    const { instructionId } = this;
    const { transformId } = this.plan.input;
    this.harness.data.push({ data: [{ instructionId, transformId, isLast: true }] });
    const response = await this.orFailure(this.answer!);
    if (this.openSinks.size > 0) await this.orFailure(new Promise<void>((resolve) => (this.allSinksClosed = resolve))); // X1
    await this.orFailure(this.drain.deliverAll());
    this.harness.endBundle(instructionId!);
    this.instructionId = undefined;
    this.count(response.processBundle?.monitoringInfos ?? []);
    return this.residualsOf(response);
  }

  private count(infos: readonly beam.pipeline.IMonitoringInfo[]): void {
    for (const [pcollection, count] of elementCountsOf(infos))
      this.innerCounts.set(pcollection, (this.innerCounts.get(pcollection) ?? 0) + count);
    const found = infos.map(metricFromMonitoringInfo).filter((metric) => metric !== undefined);
    if (found.length > 0) this.userMetrics = mergeMetrics([...this.userMetrics, ...found]);
  }

  private residualsOf({ processBundle }: beam.fn.IInstructionResponse): readonly beam.fn.IDelayedBundleApplication[] {
    const residuals = processBundle?.residualRoots ?? [];
    for (const { application } of residuals) {
      const { transformId, inputId } = application ?? {};
      const pcollection = this.plan.descriptor.transforms?.[transformId ?? ""]?.inputs?.[inputId ?? ""];
      if (pcollection !== this.plan.input.pcollection)
        throw new Error(`stage ${this.stage.id} hands back work of transform "${transformId}", which its input does not lead to`);
    }
    return residuals;
  }

  private flush(): void {
    const { writer, instructionId } = this;
    if (writer.length === 0) return;
    const data = writer.toBytes();
    writer.reset();
    this.harness.data.push({ data: [{ instructionId, transformId: this.plan.input.transformId, data }] }, data.length);
  }

  private coderOf({ coderId, windowCoderId }: BundlePort): WindowedValueCoder<unknown> {
    const coders = this.stage.components.coders ?? {};
    return new WindowedValueCoder(rawCoder(coderId, coders), new CoderRegistry().fromProto(windowCoderId, coders) as Coder<Window>);
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
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

function delayOf(residuals: readonly beam.fn.IDelayedBundleApplication[]): number {
  const delays = residuals.map(({ requestedTimeDelay: delay }) => Number(fromInt64(delay?.seconds)) * 1000 + (delay?.nanos ?? 0) / 1e6);
  return Math.min(MAX_DELAY_MS, ...delays);
}

const pause = (ms: number): Promise<void> => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve());

const NO_BYTES = new Uint8Array(0);
