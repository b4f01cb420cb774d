// A stage host whose stages are plain functions by transform id: what the runner can be tested with when the SDK is not there.
import {
  kvCoder,
  utf8Coder,
  varintCoder,
  iterableCoder,
  bytesCoder,
  globalWindowCoder,
  intervalWindowCoder,
  ValueCoder,
  type Coder,
} from "../../portability/coders/index.js";
import type { StageContext, StageDescriptor, StageExecutor, StageHost } from "../../portability/stage-host/index.js";
import type { ElementMeta, Receiver } from "../../portability/values/index.js";

/** Emits into the stage's first output, or into the named one. */
export type Emit = (value: unknown, meta: ElementMeta, output?: string) => void;

/** What a transform does with an element. A promise makes its bundle asynchronous. */
export type FakeFunction = (value: unknown, meta: ElementMeta, emit: Emit, context: StageContext) => void | Promise<void>;

const erase = (coder: unknown): Coder<unknown> => coder as Coder<unknown>;

/** Coders by the ids that {@link topologyOf} uses. */
export const FAKE_CODERS: Record<string, Coder<unknown>> = {
  bytes: erase(bytesCoder),
  string: erase(utf8Coder),
  int: erase(varintCoder),
  value: erase(new ValueCoder()),
  pair: erase(kvCoder(utf8Coder, varintCoder)),
  "int-pair": erase(kvCoder(varintCoder, varintCoder)),
  "value-pair": erase(kvCoder(new ValueCoder(), new ValueCoder())),
  group: erase(kvCoder(utf8Coder, iterableCoder(varintCoder))),
  global_window: erase(globalWindowCoder),
  interval_window: erase(intervalWindowCoder),
};

export class FakeStageHost implements StageHost {
  /** Everything that happened to executors, in order: `open s`, `start s`, `finish s`, `abort s`, `close s`. */
  readonly events: string[] = [];
  closed = false;

  /** @param maxInFlight promises an executor takes on before it is blocked. */
  constructor(
    private readonly functions: Readonly<Record<string, FakeFunction>>,
    private readonly maxInFlight = 1,
  ) {}

  coder(_descriptor: StageDescriptor, coderId: string): Coder<unknown> {
    const coder = FAKE_CODERS[coderId];
    if (coder === undefined) throw new Error(`no fake coder ${coderId}`);
    return coder;
  }

  open(descriptor: StageDescriptor, context: StageContext): Promise<StageExecutor> {
    this.events.push(`open ${descriptor.id}`);
    return Promise.resolve(
      new FakeExecutor(descriptor, context, this.functions[descriptor.transformIds[0]], this.events, this.maxInFlight),
    );
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

class FakeExecutor implements StageExecutor {
  private readonly counts = new Map<string, number>();
  private readonly inFlight = new Set<Promise<void>>();
  private failure: unknown;
  private bundleOpen = false;
  private aborted = false;

  constructor(
    private readonly descriptor: StageDescriptor,
    private readonly context: StageContext,
    private readonly fn: FakeFunction,
    private readonly events: string[],
    private readonly maxInFlight: number,
  ) {}

  receiver(pcollectionId: string): Receiver {
    const { outputs } = this.descriptor;
    const emit: Emit = (value, meta, output = outputs[0]) => {
      if (this.aborted) return;
      this.counts.set(output, (this.counts.get(output) ?? 0) + 1);
      this.context.outputs.get(output)!(value, meta);
    };
    return (value, meta) => {
      if (!this.bundleOpen) throw new Error(`element outside of a bundle of ${this.descriptor.id}`);
      this.counts.set(pcollectionId, (this.counts.get(pcollectionId) ?? 0) + 1);
      const result = this.fn(value, meta, emit, this.context);
      if (result !== undefined) this.track(result);
    };
  }

  startBundle(): void {
    if (this.bundleOpen) throw new Error(`two bundles of ${this.descriptor.id} at once`);
    this.bundleOpen = true;
    this.events.push(`start ${this.descriptor.id}`);
  }

  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure as Error);
    return this.inFlight.size < this.maxInFlight ? undefined : Promise.race(this.inFlight).then(() => this.check());
  }

  finishBundle(): void | Promise<void> {
    if (this.inFlight.size > 0) return Promise.all(this.inFlight).then(() => this.finished());
    this.finished();
  }

  abort(): void {
    this.aborted = true;
    this.events.push(`abort ${this.descriptor.id}`);
  }

  elementCounts(): ReadonlyMap<string, number> {
    return this.counts;
  }

  close(): Promise<void> {
    this.events.push(`close ${this.descriptor.id}`);
    return Promise.resolve();
  }

  private finished(): void {
    this.check();
    this.bundleOpen = false;
    this.events.push(`finish ${this.descriptor.id}`);
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private track(promise: Promise<void>): void {
    const settled: Promise<void> = promise
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .then(() => void this.inFlight.delete(settled));
    this.inFlight.add(settled);
  }
}
