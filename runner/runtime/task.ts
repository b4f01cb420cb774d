import type { KeyedState, StageContext, StageExecutor } from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { Clock } from "./clock.js";
import type { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import { Pacer } from "./pacer.js";
import type { RuntimeOptions } from "./runtime-options.js";
import { pickBy, seedOf, type Pick } from "./shuffle.js";
import type { SideInputBuffer } from "./side-input-buffer.js";
import type { TaskCounts } from "./task-counts.js";

/** What a task tells its worker. */
export interface TaskOwner {
  /** Give the task a turn: it may have something to do. */
  wake(task: Task): void;
  taskDone(task: Task): void;
  taskFailed(task: Task, error: unknown): void;
}

export interface TaskParts {
  /** Unique and readable, e.g. `bolt-2 count words #0`. */
  readonly id: string;
  readonly componentId: string;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly sideInputs: readonly SideInputBuffer[];
  readonly options: RuntimeOptions;
  readonly clock: Clock;
  readonly owner: TaskOwner;
}

const BLOCKED = "asynchronous user code";

type Phase = "new" | "opened" | "running" | "closing" | "closed" | "done" | "stopped";

/**
 * One copy of a component: takes batches from its inbox, runs them through the head and the stage in bundles, and
 * passes watermarks on. It is cooperative: {@link turn} does what can be done by a deadline and returns.
 *
 * - T1. No element is delivered while the outbox is full or the executor is blocked.
 * - T2. The input watermark takes effect only between bundles, after everything that came before it was processed.
 * - T3. The output watermark is sent only while no bundle is open, and is at most the input watermark and the head's hold.
 * - T4. At most one promise of user code is waited for at a time; while one is, a turn does nothing but let it resume.
 * - T5. Done means: input over, side inputs included, all of it processed, executor closed, output and final watermark handed over.
 * - T6. While the head has something to emit the output watermark stays: groups that are given earlier timestamps behind it are late
 *   or not whatever bundles they came in. Bounded input moves it once, from the minimum to the maximum. A source may always have something:
 *   its watermark moves with every bundle.
 * - T7. Processing time, too, takes effect only between bundles. A task whose head waits for it is woken by the clock.
 * - T8. A task whose input is idle is idle itself, unless it holds something back. It says so behind all that it has put out.
 */
export class Task {
  readonly id: string;
  readonly componentId: string;
  private phase: Phase = "new";
  private executor!: StageExecutor;
  private head!: HeadOperator;
  private batch: ElementBatch | undefined;
  private position = 0;
  private bundleOpen = false;
  private bundleElements = 0;
  /** Elements after which the bundle ends. */
  private bundleLimit: number;
  private readonly pick: Pick | undefined;
  private bundles = 0;
  private elementsIn = 0;
  private inputWatermark: Timestamp = MIN_TIMESTAMP;
  private waitingFor: string | undefined;
  private resumers: (() => void)[] = [];
  private closing: Promise<void> | undefined;
  private finalCounts: ReadonlyMap<string, number> | undefined;
  private readonly pacer: Pacer;
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly sideInputs: readonly SideInputBuffer[];
  private readonly options: RuntimeOptions;
  private readonly clock: Clock;
  private readonly owner: TaskOwner;
  /** The processing time that the clock is to wake the task at; Infinity if none. */
  private alarm = Infinity;
  private disarm: () => void = () => {};

  constructor(parts: TaskParts) {
    this.id = parts.id;
    this.componentId = parts.componentId;
    this.inbox = parts.inbox;
    this.outbox = parts.outbox;
    this.sideInputs = parts.sideInputs;
    this.options = parts.options;
    this.clock = parts.clock;
    this.owner = parts.owner;
    this.pacer = new Pacer(parts.options.bundleMs);
    this.bundleLimit = parts.options.bundleElements;
    if (parts.options.shuffleSeed !== undefined) this.pick = this.inbox.pick = pickBy(seedOf(this.id, parts.options.shuffleSeed));
    const wake = (): void => this.owner.wake(this);
    this.inbox.onArrival = this.outbox.onRoom = wake;
    for (const { inbox } of this.sideInputs) inbox.onArrival = wake;
  }

  /** What the executor is opened with. */
  contextFor(outputs: readonly string[], keyed?: KeyedState): StageContext {
    return {
      keyed,
      outputs: new Map(outputs.map((pcollection) => [pcollection, this.outbox.receiverOf(pcollection)])),
      sideInputs: new Map(this.sideInputs.map((sideInput) => [sideInput.pcollection, sideInput])),
      shouldPause: () => this.outbox.isFull || this.pacer.overtime(),
      resume: () =>
        new Promise((resolve) => {
          this.resumers.push(resolve);
          this.owner.wake(this);
        }),
    };
  }

  /** Puts the executor and the head in place; {@link stop} closes the executor from now on. */
  opened(executor: StageExecutor, head: HeadOperator): void {
    this.executor = executor;
    this.head = head;
    this.phase = "opened";
  }

  /** Turns may follow. */
  start(): void {
    this.phase = "running";
    this.owner.wake(this);
  }

  /** Works until `deadline` (performance.now()) at most; true if there is more to do right away. */
  turn(deadline: number): boolean {
    this.pacer.startTurn(deadline);
    try {
      if (this.waitingFor !== undefined) this.letResume();
      else if (this.phase === "running") return this.work();
      else if (this.phase === "closed") this.finishIfHandedOver();
    } catch (error) {
      this.fail(error);
    }
    return false;
  }

  /** Drops what it is doing, after a failure or a cancellation; resolves when the executor is closed. */
  async stop(): Promise<void> {
    const { phase } = this;
    if (phase === "done" || phase === "stopped") return;
    this.phase = "stopped";
    this.disarm();
    if (phase === "new") return;
    try {
      if (phase === "opened" || phase === "running") {
        this.executor.abort();
        this.closing = this.closeParts();
      }
      await this.closing;
    } catch {
      // The job has failed or is cancelled already: what closing adds to it is no news.
    }
  }

  get isDone(): boolean {
    return this.phase === "done";
  }

  /** Whether user code is at work whose end nobody can tell: a promise that does not itself wait for this task. */
  get waitsForUser(): boolean {
    return this.phase === "new" || this.phase === "opened" || (this.waitingFor !== undefined && this.resumers.length === 0);
  }

  /** Whether the clock is to wake it. */
  get waitsForTime(): boolean {
    return this.alarm < Infinity;
  }

  /** Whether it waits for the world outside, which nobody can tell anything of. */
  get waitsForSource(): boolean {
    return this.phase === "running" && this.head.isSource === true && this.head.waitsFor !== undefined;
  }

  /** What the task needs to go on, for people. */
  describeWait(): string {
    if (this.phase === "done") return "done";
    if (this.outbox.isFull || this.phase === "closed") return `room for ${this.outbox.queuedBytes} bytes of output`;
    if (this.waitingFor !== undefined) return this.executor.describeWait?.() ?? this.waitingFor;
    const inputIsOver = this.inputWatermark === MAX_TIMESTAMP;
    return (inputIsOver ? this.head.waitsFor : undefined) ?? "input";
  }

  counts(): TaskCounts {
    return {
      component: this.componentId,
      elementsIn: this.elementsIn,
      elementsOut: this.outbox.sent,
      bundles: this.bundles,
      inputWatermark: this.inputWatermark,
      outputWatermark: this.outbox.watermark,
      queuedBytes: this.inbox.queuedBytes + this.outbox.queuedBytes,
      droppedLate: this.phase === "new" ? 0 : this.head.droppedLate,
      droppedClosed: this.phase === "new" ? 0 : this.head.droppedClosed,
      pcollections: this.phase === "new" ? {} : Object.fromEntries(this.finalCounts ?? this.executor.elementCounts()),
      metrics: this.phase === "new" ? [] : (this.executor.metrics?.() ?? []),
    };
  }

  private work(): boolean {
    this.head.poll?.();
    for (;;) {
      if (this.outbox.isFull) return false; // T1: woken by room
      if (this.pacer.overtime()) return true;
      if (this.bundleOpen && (this.bundleElements >= this.bundleLimit || this.pacer.bundleIsOver())) {
        if (!this.closeBundle()) return false;
      } else if (this.head.draining) {
        if (!this.ensureBundle()) return false;
        this.head.drain(this.pauseDrain);
        if (this.waitingFor !== undefined) return false;
        if (!this.head.draining && !this.bundleOpen) this.publishWatermark();
      } else if (this.batch !== undefined) {
        if (!this.feed(this.batch)) return false;
      } else if (this.timeHasCome()) {
        if (this.bundleOpen && !this.closeBundle()) return false; // T7
        this.head.advanceTime(this.clock.now());
        if (!this.head.draining) this.publishWatermark();
      } else if (this.inbox.watermark > this.inputWatermark) {
        if (this.bundleOpen && !this.closeBundle()) return false; // T2
        this.inputWatermark = this.inbox.watermark;
        this.head.advance(this.inputWatermark);
        if (!this.head.draining) this.publishWatermark();
      } else if ((this.batch = this.inbox.take()) !== undefined) {
        this.position = 0;
      } else if (this.inbox.watermark === this.inputWatermark) {
        if (this.bundleOpen) {
          if (!this.closeBundle()) return false;
          continue;
        }
        if (this.inputWatermark === MAX_TIMESTAMP && this.head.waitsFor === undefined) this.close();
        else if (this.isIdle()) this.outbox.sendIdle();
        else this.outbox.flush();
        this.setAlarm();
        return false; // woken by input, or by the clock
      }
    }
  }

  /** Feeds elements of the batch until one of the limits; false if a promise has to be waited for. */
  private feed(batch: ElementBatch): boolean {
    const relays = this.head.relays === true;
    if (relays && !this.ensureBundle()) return false;
    const before = this.position;
    const end = relays ? Math.min(batch.length, before + this.bundleLimit - this.bundleElements) : batch.length;
    const ready = relays ? this.feedStage(batch, end) : this.feedGrouping(batch, end);
    const taken = this.position - before;
    this.elementsIn += taken;
    if (relays) this.bundleElements += taken;
    if (this.position === batch.length) {
      this.batch = undefined;
      this.inbox.release();
    }
    return ready;
  }

  /** The tight loop of a relay. */
  private feedStage(batch: ElementBatch, end: number): boolean {
    const { values, metas } = batch;
    const shared = batch.meta!;
    const { executor, outbox, pacer } = this;
    const receive: Receiver = this.head.process;
    for (let i = this.position; i < end; i++) {
      this.position = i + 1;
      receive(values[i], metas === undefined ? shared : metas[i]);
      const blocked = executor.blocked();
      if (blocked !== undefined) {
        this.waitFor(blocked, BLOCKED);
        return false;
      }
      if (outbox.isFull || pacer.tick()) return true;
    }
    return true;
  }

  /** The tight loop of a grouping, which reaches neither stage nor outbox. */
  private feedGrouping(batch: ElementBatch, end: number): boolean {
    const { values, metas } = batch;
    const shared = batch.meta!;
    const { pacer } = this;
    const receive: Receiver = this.head.process;
    for (let i = this.position; i < end; i++) {
      this.position = i + 1;
      receive(values[i], metas === undefined ? shared : metas[i]);
      if (pacer.tick()) return true;
    }
    return true;
  }

  /** Asked by a draining head before each element. */
  private readonly pauseDrain = (): boolean => {
    const blocked = this.executor.blocked();
    if (blocked !== undefined) this.waitFor(blocked, BLOCKED);
    if (blocked !== undefined || this.outbox.isFull || this.pacer.tick()) return true;
    return this.bundleElements++ >= this.bundleLimit;
  };

  private ensureBundle(): boolean {
    if (this.bundleOpen) return true;
    this.bundleOpen = true;
    this.bundleElements = 0;
    if (this.pick !== undefined) this.bundleLimit = 1 + this.pick(Math.min(8, this.options.bundleElements));
    this.pacer.startBundle();
    const started = this.executor.startBundle();
    if (started === undefined) return true;
    this.waitFor(started, "start of a bundle in user code");
    return false;
  }

  /** True if it is closed already, false if a promise has to be waited for. */
  private closeBundle(): boolean {
    const finished = this.executor.finishBundle();
    if (finished === undefined) {
      this.bundleClosed();
      return true;
    }
    this.waitFor(
      finished.then(() => this.bundleClosed()),
      "end of a bundle in user code",
    );
    return false;
  }

  private bundleClosed(): void {
    this.bundleOpen = false;
    this.bundles++;
    this.head.committed?.();
    this.outbox.flush();
    this.publishWatermark();
  }

  /** T3; the final watermark waits until the executor is closed (T5). */
  private publishWatermark(): void {
    if (this.head.draining && this.head.isSource !== true) return; // T6
    if (this.head.isIdle === true) return; // T8
    const watermark = Math.min(this.inputWatermark, this.head.hold());
    if (watermark < MAX_TIMESTAMP) this.outbox.sendWatermark(watermark);
  }

  /** T8 */
  private isIdle(): boolean {
    return this.head.isIdle ?? (this.inbox.isIdle && this.head.hold() >= this.inputWatermark);
  }

  private timeHasCome(): boolean {
    const { deadline } = this.head;
    return deadline < Infinity && deadline <= this.clock.now();
  }

  /** T7 */
  private setAlarm(): void {
    const { deadline } = this.head;
    if (deadline === this.alarm) return;
    this.disarm();
    this.alarm = deadline;
    if (deadline === Infinity) return;
    this.disarm = this.clock.callAt(deadline, () => {
      this.alarm = Infinity;
      this.owner.wake(this);
    });
  }

  private close(): void {
    this.phase = "closing";
    this.finalCounts = new Map(this.executor.elementCounts());
    this.closing = this.closeParts();
    this.waitFor(
      this.closing.then(() => {
        if (this.phase !== "closing") return;
        this.phase = "closed";
        this.outbox.flush();
        this.outbox.sendWatermark(MAX_TIMESTAMP);
      }),
      "closing of user code",
    );
  }

  private async closeParts(): Promise<void> {
    const ends = await Promise.allSettled([this.executor.close(), this.head.close?.()]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  private finishIfHandedOver(): void {
    if (!this.outbox.isEmpty) return; // woken by room
    this.phase = "done";
    this.owner.taskDone(this);
  }

  /** T4 */
  private waitFor(promise: Promise<void>, what: string): void {
    this.waitingFor = what;
    if (this.resumers.length > 0) this.owner.wake(this); // the wake-up of a pause may have been used up by this turn
    promise.then(
      () => {
        this.waitingFor = undefined;
        this.owner.wake(this);
      },
      (error: unknown) => {
        this.waitingFor = undefined;
        this.fail(error);
      },
    );
  }

  private letResume(): void {
    if (this.resumers.length === 0 || this.outbox.isFull) return;
    const resumers = this.resumers;
    this.resumers = [];
    for (const resume of resumers) resume();
  }

  private fail(error: unknown): void {
    if (this.phase === "stopped" || this.phase === "done") return;
    this.owner.taskFailed(this, error);
  }
}
