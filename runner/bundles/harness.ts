// The runner's end of one SDK harness: the orders to it, and what comes back, by instruction id.
//
// N1. Each order gets one answer or an error: the harness's own, or that of its loss.
// N2. Elements and state requests reach the bundle that they name, and are dropped when it is over. They are taken as they come:
//     a bundle that does not read what it is given never keeps another one waiting.
// N3. The first failure is the harness's last word: everything that waits fails with it, and everything that comes later.
import type { beam } from "../../portability/protos/index.js";
import { MessageQueue, ServiceError } from "../../portability/services/index.js";

/** Orders and elements that wait for the harness to take them, in bytes, before bundles should pause. */
const DATA_QUEUE_BYTES = 4 << 20;

/** What a bundle under way hears. */
export interface BundleListener {
  /** Elements of an output, or its end. */
  elements(sinkId: string, bytes: Uint8Array, isLast: boolean): void;
  /** @throws ServiceError or any error, which the SDK is told */
  state(request: beam.fn.IStateRequest): beam.fn.IStateResponse;
  /** The harness is lost. */
  lost(error: Error): void;
}

/** The harness is gone, or never came, or broke the protocol. */
export class HarnessLostError extends Error {
  override readonly name = "HarnessLostError";
}

interface PendingInstruction {
  resolve(response: beam.fn.IInstructionResponse): void;
  reject(error: Error): void;
}

export class Harness {
  /** Elements on their way to the harness. */
  readonly data = new MessageQueue<beam.fn.IElements>(DATA_QUEUE_BYTES);
  private readonly control = new MessageQueue<beam.fn.IInstructionRequest>();
  private readonly pending = new Map<string, PendingInstruction>();
  private readonly bundles = new Map<string, BundleListener>();
  private readonly descriptors = new Map<string, beam.fn.IProcessBundleDescriptor>();
  private readonly opened = new Set<string>();
  private instructions = 0;
  private failure: Error | undefined;
  private ending = false;
  private connect!: () => void;
  private readonly connected = new Promise<void>((resolve) => (this.connect = resolve));
  private onFailure: (error: Error) => void = () => {};
  private readonly failed = new Promise<never>((_resolve, reject) => (this.onFailure = reject));

  constructor(
    readonly workerId: string,
    /** For people, e.g. `the harness of environment "py"`. */
    readonly name: string,
    /** What a harness asks for first. */
    readonly provision: beam.fn.IProvisionInfo,
    /** Told what the harness logs. */
    readonly onLog: (entry: beam.fn.ILogEntry) => void,
  ) {
    this.failed.catch(() => {}); // told to whoever waits
  }

  /** Resolves when the harness takes orders. @throws HarnessLostError if it does not within the time */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new HarnessLostError(`${this.name} has not connected within ${timeoutMs / 1000} s`)), timeoutMs);
    });
    try {
      await Promise.race([this.connected, this.failed, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  addDescriptor(descriptor: beam.fn.IProcessBundleDescriptor): void {
    this.descriptors.set(descriptor.id ?? "", descriptor);
  }

  /** @throws ServiceError NOT_FOUND */
  descriptor(id: string): beam.fn.IProcessBundleDescriptor {
    const descriptor = this.descriptors.get(id);
    if (descriptor === undefined) throw new ServiceError("NOT_FOUND", `${this.name} has no stage "${id}"`);
    return descriptor;
  }

  /** A new instruction id; what the harness says about it until {@link endBundle} goes to the listener. */
  startBundle(listener: BundleListener): string {
    const id = `${++this.instructions}`;
    this.bundles.set(id, listener);
    if (this.failure !== undefined) listener.lost(this.failure);
    return id;
  }

  endBundle(instructionId: string): void {
    this.bundles.delete(instructionId);
    this.pending.delete(instructionId);
  }

  /** Sends an order (N1). */
  instruct(request: beam.fn.IInstructionRequest): Promise<beam.fn.IInstructionResponse> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.pending.set(request.instructionId ?? "", { resolve, reject });
      this.control.push(request);
    });
  }

  /** The control stream: orders out, answers in; its end is the end of the harness. */
  serveControl(responses: AsyncIterable<beam.fn.IInstructionResponse>): AsyncIterable<beam.fn.IInstructionRequest> {
    this.openOnce("control");
    void this.read("control", responses, (response) => this.answered(response));
    this.connect();
    return this.control;
  }

  serveData(elements: AsyncIterable<beam.fn.IElements>): AsyncIterable<beam.fn.IElements> {
    this.openOnce("data");
    void this.read("data", elements, (message) => this.receive(message));
    return this.data;
  }

  async *serveState(requests: AsyncIterable<beam.fn.IStateRequest>): AsyncGenerator<beam.fn.IStateResponse> {
    for await (const request of requests) yield this.stateOf(request);
  }

  /** Ends the harness: it finishes what it does, and goes. */
  close(): void {
    this.ending = true;
    this.control.end();
    this.data.end();
    this.fail(new HarnessLostError(`${this.name} was ended`));
  }

  /** N3 */
  fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.control.end();
    this.data.end();
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
    for (const listener of this.bundles.values()) listener.lost(error);
    this.onFailure(error);
  }

  private openOnce(stream: string): void {
    if (this.opened.has(stream)) throw new ServiceError("FAILED_PRECONDITION", `${this.name} has opened its ${stream} stream already`);
    this.opened.add(stream);
  }

  private async read<T>(stream: string, messages: AsyncIterable<T>, take: (message: T) => void): Promise<void> {
    try {
      for await (const message of messages) take(message);
      if (!this.ending) this.fail(new HarnessLostError(`${this.name} has ended its ${stream} stream while the job was running`));
    } catch (error) {
      if (!this.ending)
        this.fail(new HarnessLostError(`the connection to ${this.name} is lost (${(error as Error).message})`, { cause: error }));
    }
  }

  private answered(response: beam.fn.IInstructionResponse): void {
    const id = response.instructionId ?? "";
    const pending = this.pending.get(id);
    this.pending.delete(id);
    pending?.resolve(response);
  }

  /** N2 */
  private receive({ data }: beam.fn.IElements): void {
    for (const { instructionId, transformId, data: bytes, isLast } of data ?? [])
      this.bundles.get(instructionId ?? "")?.elements(transformId ?? "", bytes ?? NO_BYTES, isLast === true);
  }

  private stateOf(request: beam.fn.IStateRequest): beam.fn.IStateResponse {
    try {
      const bundle = this.bundles.get(request.instructionId ?? "");
      if (bundle === undefined) throw new Error(`bundle ${request.instructionId} is not under way`);
      return { ...bundle.state(request), id: request.id };
    } catch (error) {
      return { id: request.id, error: error instanceof Error ? error.message : String(error) };
    }
  }
}

const NO_BYTES = new Uint8Array(0);
