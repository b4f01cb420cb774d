// The runner's end of one SDK harness: the orders to it, and what comes back, by instruction id.
//
// N1. Each order gets one answer or an error: the harness's own, or that of its loss.
// N2. Elements and state requests reach the bundle that they name, and are dropped when it is over. They are taken as they come:
//     a bundle that does not read what it is given never keeps another one waiting.
// N3. The first failure is the harness's last word: everything that waits fails with it, and everything that comes later.
// N4. One that hangs is as good as gone (harness-watch.ts), and so is one whose words make no sense: both are failures.
import { beam } from "../../portability/protos/index.js";
import { MessageQueue, ServiceError } from "../../portability/services/index.js";
import { BundleProgress } from "./bundle-progress.js";
import { HarnessWatch } from "./harness-watch.js";
import { MetricNames, type ReportedValues } from "./metric-names.js";

/** Orders and elements that wait for the harness to take them, in bytes, before bundles should pause. */
const DATA_QUEUE_BYTES = 4 << 20;

/** How long it may say nothing where {@link Harness} is not told, in milliseconds. */
const SILENCE_MS = 3 * 60_000;
/** How often it is asked how far a bundle is, in milliseconds. */
const PROGRESS_MS = 1000;
/** How long its status is waited for. */
const STATUS_WITHIN_MS = 10_000;
/** Characters of a status that are told. */
const LONGEST_STATUS = 32 << 10;

/** What a bundle under way hears. */
export interface BundleListener {
  /** Elements of an output, or its end. */
  elements(sinkId: string, bytes: Uint8Array, isLast: boolean): void;
  /** Timers that user code sets or clears, or the end of those of a family. */
  timers(familyId: string, bytes: Uint8Array, isLast: boolean): void;
  /** @throws ServiceError or any error, which the SDK is told */
  state(request: beam.fn.IStateRequest): beam.fn.IStateResponse;
  /** What the bundle has counted so far, all of it (bundle-progress.ts P2). */
  counted?(infos: readonly beam.pipeline.IMonitoringInfo[]): void;
  /** The harness is lost. */
  lost(error: Error): void;
}

/** The harness is gone, or never came, or broke the protocol. */
export class HarnessLostError extends Error {
  override readonly name = "HarnessLostError";
}

const Severity = beam.fn.LogEntry.Severity.Enum;

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
  private readonly watch: HarnessWatch;
  private readonly progress: BundleProgress;
  private readonly beat: NodeJS.Timeout;
  private readonly metricNames = new MetricNames((ids) => this.namesOf(ids));
  private readonly statusRequests = new MessageQueue<beam.fn.IWorkerStatusRequest>();
  private readonly statusAnswers = new Map<string, (response: beam.fn.IWorkerStatusResponse) => void>();

  constructor(
    readonly workerId: string,
    /** For people, e.g. `the harness of environment "py"`. */
    readonly name: string,
    /** What a harness asks for first. */
    readonly provision: beam.fn.IProvisionInfo,
    /** Told what the harness logs. */
    readonly onLog: (entry: beam.fn.ILogEntry) => void,
    private readonly silenceMs = SILENCE_MS,
    /** Resolves when it is known why a connection has ended, if that comes to be known: who knows tells {@link fail}. */
    private readonly whenGone: () => Promise<void> = () => Promise.resolve(),
    progressMs = PROGRESS_MS,
  ) {
    this.failed.catch(() => {}); // told to whoever waits
    this.watch = new HarnessWatch(this, silenceMs);
    this.progress = new BundleProgress({
      progressOf: (instructionId) => this.progressOf(instructionId),
      told: (instructionId, infos) => this.bundles.get(instructionId)?.counted?.(infos),
      moved: () => this.watch.moved(),
    });
    this.beat = setInterval(() => this.progress.beat(), progressMs);
    this.beat.unref();
  }

  /** Why it is lost; undefined as long as it is not. */
  get lostBy(): Error | undefined {
    return this.failure;
  }

  get hasWork(): boolean {
    return this.bundles.size > 0;
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
    const id = this.newInstructionId();
    this.bundles.set(id, listener);
    this.progress.begin(id);
    if (this.failure !== undefined) listener.lost(this.failure);
    return id;
  }

  newInstructionId(): string {
    return `${++this.instructions}`;
  }

  endBundle(instructionId: string): void {
    this.bundles.delete(instructionId);
    this.progress.end(instructionId);
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

  serveStatus(responses: AsyncIterable<beam.fn.IWorkerStatusResponse>): AsyncIterable<beam.fn.IWorkerStatusRequest> {
    this.openOnce("status");
    void this.readStatus(responses);
    return this.statusRequests;
  }

  /** What it says of itself, for people; undefined if it does not report. */
  async status(): Promise<string | undefined> {
    if (!this.opened.has("status") || this.statusRequests.closed) return undefined;
    const id = this.newInstructionId();
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<beam.fn.IWorkerStatusResponse | undefined>((resolve) => {
      this.statusAnswers.set(id, resolve);
      this.statusRequests.push({ id });
      timer = setTimeout(() => resolve(undefined), STATUS_WITHIN_MS);
    });
    clearTimeout(timer);
    this.statusAnswers.delete(id);
    return (answer?.error || answer?.statusInfo)?.slice(0, LONGEST_STATUS);
  }

  /** Waits for something that must come at once, and takes the harness for lost if it does not (N4). */
  async owed<T>(promise: Promise<T>, what: string): Promise<T> {
    const timer = setTimeout(() => this.makesNoSense(`does not send ${what}`), this.silenceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** N4. @param what e.g. `sends what nobody can read` */
  makesNoSense(what: string, cause?: unknown): void {
    this.fail(new HarnessLostError(`${this.name} ${what}`, { cause }));
  }

  /** What is told of metrics, in full. @throws HarnessLostError */
  infosOf(values: ReportedValues): Promise<readonly beam.pipeline.IMonitoringInfo[]> {
    return this.metricNames.infosOf(values);
  }

  /** What it has counted as a process, of no transform in particular. @throws HarnessLostError */
  async processMetrics(): Promise<readonly beam.pipeline.IMonitoringInfo[]> {
    const answer = await this.instruct({ instructionId: this.newInstructionId(), harnessMonitoringInfos: {} });
    return this.infosOf(answer.harnessMonitoringInfos ?? {});
  }

  /** Elements that it has kept as samples since it was asked last. @param pcollectionIds empty for all. @throws HarnessLostError */
  async samples(pcollectionIds: readonly string[]): Promise<beam.fn.ISampleDataResponse> {
    const request = { instructionId: this.newInstructionId(), sampleData: { pcollectionIds: [...pcollectionIds] } };
    return (await this.instruct(request)).sampleData ?? {};
  }

  /** For the watch: progress of a bundle is told at once, whatever the bundle does. */
  ask(): void {
    this.progress.ask();
  }

  /** For the watch. */
  silent(): void {
    this.makesNoSense(`has said nothing for ${this.silenceMs / 1000} s, though it was asked`);
  }

  /** For the watch. */
  stuck(): void {
    void this.status().then((status) => {
      const message = `${this.name} has worked for ${this.silenceMs / 1000} s without a result${status ? `; it says:\n${status}` : ""}`;
      this.onLog({ severity: Severity.INFO, message });
    });
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
    this.watch.stop();
    clearInterval(this.beat);
    this.control.end();
    this.data.end();
    this.statusRequests.end();
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
      await this.whenGone();
      if (!this.ending) this.fail(new HarnessLostError(`${this.name} has ended its ${stream} stream while the job was running`));
    } catch (error) {
      await this.whenGone();
      if (!this.ending)
        this.fail(new HarnessLostError(`the connection to ${this.name} is lost (${(error as Error).message})`, { cause: error }));
    }
  }

  private async readStatus(responses: AsyncIterable<beam.fn.IWorkerStatusResponse>): Promise<void> {
    try {
      for await (const response of responses) this.statusAnswers.get(response.id ?? "")?.(response);
    } catch {
      // Reports that break off are no failure: the control stream tells how the harness fares.
    }
    this.statusRequests.end();
  }

  private answered(response: beam.fn.IInstructionResponse): void {
    const id = response.instructionId ?? "";
    if (this.bundles.has(id)) this.watch.moved();
    else this.watch.heard();
    if (response.processBundle?.elements) this.receive(response.processBundle.elements);
    const pending = this.pending.get(id);
    this.pending.delete(id);
    pending?.resolve(response);
  }

  private async progressOf(instructionId: string): Promise<readonly beam.pipeline.IMonitoringInfo[]> {
    const request = { instructionId: this.newInstructionId(), processBundleProgress: { instructionId } };
    return this.infosOf((await this.instruct(request)).processBundleProgress ?? {});
  }

  private async namesOf(monitoringInfoId: readonly string[]): Promise<Readonly<Record<string, beam.pipeline.IMonitoringInfo>>> {
    const request = { instructionId: this.newInstructionId(), monitoringInfos: { monitoringInfoId: [...monitoringInfoId] } };
    return (await this.owed(this.instruct(request), "what its metrics are")).monitoringInfos?.monitoringInfo ?? {};
  }

  /** N2 */
  private receive({ data, timers }: beam.fn.IElements): void {
    this.watch.moved();
    for (const { instructionId, timerFamilyId, timers: bytes, isLast } of timers ?? [])
      this.bundles.get(instructionId ?? "")?.timers(timerFamilyId ?? "", bytes ?? NO_BYTES, isLast === true);
    for (const { instructionId, transformId, data: bytes, isLast } of data ?? [])
      this.bundles.get(instructionId ?? "")?.elements(transformId ?? "", bytes ?? NO_BYTES, isLast === true);
  }

  private stateOf(request: beam.fn.IStateRequest): beam.fn.IStateResponse {
    this.watch.moved();
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
