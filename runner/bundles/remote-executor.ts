// A stage on an SDK harness: one bundle at a time, elements in by the data stream, outputs as they come.
//
// X1. A bundle is over when the harness has answered and every sink has had its end.
// X2. Outputs that the task cannot take yet are kept, and the bundle is blocked while they are many.
// X3. What a splittable DoFn leaves over is processed at once, as further bundles of the harness, before the task's own bundle ends.
import { ByteReader, ByteWriter, WindowedValueCoder, type Coder } from "../../portability/coders/index.js";
import { mergeMetrics, metricFromMonitoringInfo, type Metric } from "../../portability/metrics/index.js";
import type { beam } from "../../portability/protos/index.js";
import { UserCodeError, type StageContext, type StageDescriptor, type StageExecutor } from "../../portability/stage-host/index.js";
import type { Receiver, Window } from "../../portability/values/index.js";
import type { BundlePlan } from "./bundle-descriptor.js";
import type { BundleListener, Harness } from "./harness.js";
import type { SideInputState } from "./side-input-state.js";

/** Input gathered before it is sent. */
const SEND_BYTES = 256 << 10;
/** Outputs kept before the bundle is blocked (X2). */
const KEPT_BYTES = 16 << 20;

/** An output port: how its bytes become elements, and where those go. */
interface OutputPort {
  readonly coder: WindowedValueCoder<unknown>;
  readonly receiver: Receiver;
  readonly counter: { n: number };
}

export interface RemoteStageParts {
  readonly descriptor: StageDescriptor;
  readonly context: StageContext;
  readonly harness: Harness;
  readonly plan: BundlePlan;
  readonly elementCoder: (coderId: string) => Coder<unknown>;
  readonly windowCoder: (coderId: string) => Coder<Window>;
  /** By transform and tag. */
  readonly sideInputs: ReadonlyMap<string, SideInputState>;
}

export const sideInputId = (transformId: string, tag: string): string => JSON.stringify([transformId, tag]);

export class RemoteExecutor implements StageExecutor {
  private readonly inputCoder: WindowedValueCoder<unknown>;
  private readonly ports = new Map<string, OutputPort>();
  private readonly counters = new Map<string, { n: number }>();
  private readonly writer = new ByteWriter();
  private readonly passedOn: Receiver | undefined;
  private bundle: RemoteBundle | undefined;
  private user: Metric[] = [];

  constructor(private readonly parts: RemoteStageParts) {
    const { plan, descriptor, context, elementCoder, windowCoder } = parts;
    const coderOf = ({ coderId, windowCoderId }: BundlePlan["input"]): WindowedValueCoder<unknown> =>
      new WindowedValueCoder(elementCoder(coderId), windowCoder(windowCoderId));
    this.inputCoder = coderOf(plan.input);
    for (const port of plan.outputs) {
      const receiver = context.outputs.get(port.pcollection) ?? (() => undefined);
      this.ports.set(port.transformId, { coder: coderOf(port), receiver, counter: this.counter(port.pcollection) });
    }
    this.passedOn = descriptor.outputs.includes(plan.input.pcollection) ? context.outputs.get(plan.input.pcollection) : undefined;
  }

  receiver(pcollectionId: string): Receiver {
    const counter = this.counter(pcollectionId);
    const { passedOn, inputCoder, writer } = this;
    const isRun = this.parts.descriptor.transformIds.length > 0;
    return (value, meta) => {
      counter.n++;
      passedOn?.(value, meta);
      if (!isRun) return;
      inputCoder.encodeParts(value, meta, writer);
      if (writer.length >= SEND_BYTES) this.send();
    };
  }

  startBundle(): void {
    if (this.parts.descriptor.transformIds.length > 0) this.bundle = this.open();
  }

  blocked(): Promise<void> | undefined {
    return this.bundle?.blocked() ?? this.parts.harness.data.room();
  }

  describeWait(): string {
    return `${this.parts.harness.name}, for a bundle of ${this.transformNames()}`;
  }

  finishBundle(): void | Promise<void> {
    const { bundle } = this;
    if (bundle === undefined) return;
    this.send();
    return this.finish(bundle);
  }

  abort(): void {
    this.bundle?.abandon();
    this.bundle = undefined;
    this.writer.reset();
  }

  elementCounts(): ReadonlyMap<string, number> {
    return new Map([...this.counters].map(([pcollection, { n }]) => [pcollection, n]));
  }

  metrics(): readonly Metric[] {
    return this.user;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private counter(pcollection: string): { n: number } {
    let counter = this.counters.get(pcollection);
    if (counter === undefined) this.counters.set(pcollection, (counter = { n: 0 }));
    return counter;
  }

  private open(): RemoteBundle {
    const { harness, plan, context, sideInputs } = this.parts;
    return new RemoteBundle(harness, plan, this.ports, context, sideInputs);
  }

  private send(): void {
    if (this.writer.length === 0) return;
    this.bundle?.send(this.writer.view().slice());
    this.writer.reset();
  }

  private async finish(bundle: RemoteBundle): Promise<void> {
    let residuals = this.answered(await bundle.finish());
    while (residuals.length > 0) {
      await pause(Math.max(...residuals.map(delayOf)));
      const next = (this.bundle = this.open());
      for (const { application } of residuals) next.send(application?.element ?? new Uint8Array()); // X3
      residuals = this.answered(await next.finish());
    }
    this.bundle = undefined;
  }

  private answered({ error, processBundle }: beam.fn.IInstructionResponse): readonly beam.fn.IDelayedBundleApplication[] {
    if (error) {
      this.bundle = undefined;
      throw new UserCodeError({ transform: this.transformNames() }, "failed", new Error(error));
    }
    const found = (processBundle?.monitoringInfos ?? []).map(metricFromMonitoringInfo).filter((metric) => metric !== undefined);
    if (found.length > 0) this.user = mergeMetrics([...this.user, ...found]);
    return processBundle?.residualRoots ?? [];
  }

  private transformNames(): string {
    const { transformIds, components } = this.parts.descriptor;
    const names = new Set(transformIds.map((id) => components.transforms?.[id]?.uniqueName || id));
    const [first, ...others] = names;
    return others.length === 0 ? first : `${first}" to "${others[others.length - 1]}`;
  }
}

/** One bundle on its harness, from its order to its last output. */
class RemoteBundle implements BundleListener {
  private readonly id: string;
  private readonly response: Promise<beam.fn.IInstructionResponse>;
  private readonly openSinks: Set<string>;
  private readonly kept: { readonly port: OutputPort; readonly bytes: Uint8Array }[] = [];
  private keptBytes = 0;
  private delivering = false;
  private failure: Error | undefined;
  private waiters: { readonly isDone: () => boolean; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(
    private readonly harness: Harness,
    private readonly plan: BundlePlan,
    private readonly ports: ReadonlyMap<string, OutputPort>,
    private readonly context: StageContext,
    private readonly sideInputs: ReadonlyMap<string, SideInputState>,
  ) {
    this.openSinks = new Set(ports.keys());
    this.id = harness.startBundle(this);
    this.response = harness.instruct({ instructionId: this.id, processBundle: { processBundleDescriptorId: plan.descriptor.id } });
    this.response.then(
      ({ error }) => {
        if (error) this.lost(new Error(error)); // no more outputs will come
      },
      (error: unknown) => this.lost(error as Error),
    );
  }

  send(data: Uint8Array): void {
    const { transformId } = this.plan.input;
    this.harness.data.push({ data: [{ instructionId: this.id, transformId, data }] }, data.byteLength);
  }

  /** X1 */
  async finish(): Promise<beam.fn.IInstructionResponse> {
    const { transformId } = this.plan.input;
    this.harness.data.push({ data: [{ instructionId: this.id, transformId, isLast: true }] });
    const response = await this.response;
    if (!response.error) await this.until(() => this.openSinks.size === 0 && this.kept.length === 0 && !this.delivering);
    this.harness.endBundle(this.id);
    return response;
  }

  /** X2 */
  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return undefined; // told at the end of the bundle
    return this.keptBytes > KEPT_BYTES ? this.until(() => this.keptBytes <= KEPT_BYTES) : undefined;
  }

  abandon(): void {
    this.harness.endBundle(this.id);
    this.kept.length = 0;
    this.lost(new Error("the bundle was given up"));
  }

  elements(sinkId: string, bytes: Uint8Array, isLast: boolean): void {
    const port = this.ports.get(sinkId);
    if (port === undefined || this.failure !== undefined) return;
    if (bytes.byteLength > 0) {
      this.kept.push({ port, bytes });
      this.keptBytes += bytes.byteLength;
      if (!this.delivering) this.deliver();
    }
    if (isLast) this.openSinks.delete(sinkId);
    this.settle();
  }

  state({ stateKey, get }: beam.fn.IStateRequest): beam.fn.IStateResponse {
    if (!get) throw new Error("state can only be read here");
    const token = get.continuationToken ?? new Uint8Array();
    const { iterableSideInput: all, multimapSideInput: ofKey, multimapKeysSideInput: keys } = stateKey ?? {};
    if (all) return { get: this.sideInput(all).all(all.window ?? NONE, token) };
    if (ofKey) return { get: this.sideInput(ofKey).ofKey(ofKey.window ?? NONE, ofKey.key ?? NONE, token) };
    if (keys) return { get: this.sideInput(keys).keys(keys.window ?? NONE, token) };
    throw new Error("this kind of state is not supported yet");
  }

  lost(error: Error): void {
    this.failure ??= error;
    this.settle();
  }

  private sideInput({ transformId, sideInputId: tag }: { transformId?: string | null; sideInputId?: string | null }): SideInputState {
    const found = this.sideInputs.get(sideInputId(transformId ?? "", tag ?? ""));
    if (found === undefined) throw new Error(`transform "${transformId}" has no side input "${tag}"`);
    return found;
  }

  private deliver(): void {
    for (let next = this.kept[0]; next !== undefined; next = this.kept[0]) {
      if (this.context.shouldPause()) {
        this.delivering = true;
        void this.context.resume().then(() => {
          this.delivering = false;
          this.deliver();
          this.settle();
        });
        return;
      }
      this.kept.shift();
      this.keptBytes -= next.bytes.byteLength;
      try {
        const { coder, receiver, counter } = next.port;
        const reader = new ByteReader(next.bytes);
        while (reader.remaining > 0) {
          const { value, meta } = coder.decode(reader, true);
          counter.n++;
          receiver(value, meta);
        }
      } catch (error) {
        this.lost(error as Error);
        return;
      }
    }
  }

  private until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ isDone, resolve, reject });
      this.settle();
    });
  }

  private settle(): void {
    this.waiters = this.waiters.filter(({ isDone, resolve, reject }) => {
      if (isDone()) resolve();
      else if (this.failure !== undefined) reject(this.failure);
      else return true;
      return false;
    });
  }
}

const NONE = new Uint8Array();

function delayOf({ requestedTimeDelay }: beam.fn.IDelayedBundleApplication): number {
  return Number(requestedTimeDelay?.seconds ?? 0) * 1000 + (requestedTimeDelay?.nanos ?? 0) / 1e6;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
