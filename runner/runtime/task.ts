import { mergeMetrics, type Metric } from "../../portability/metrics/index.js";
import {
  UserCodeError,
  type ErrorSite,
  type FiredTimer,
  type KeyedState,
  type StageContext,
  type StageCounts,
  type StageExecutor,
} from "../../portability/stage-host/index.js";
import {
  formatTimestamp,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type ElementMeta,
  type Receiver,
  type Timestamp,
} from "../../portability/values/index.js";
import { BundleLog } from "./bundle-log.js";
import type { BundleParticipant } from "./bundle-participant.js";
import type { Clock } from "./clock.js";
import type { ElementBatch } from "./element-batch.js";
import { RelayHead, type HeadOperator } from "./head.js";
import { HeadInFront } from "./head-in-front.js";
import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import { Pacer } from "./pacer.js";
import { Replay, siteOfTimer } from "./replay.js";
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
  /** A bundle has failed and is tried again. */
  taskRetries?(task: Task, error: UserCodeError): void;
}

/** The stage that a task runs: how its executor is opened, and again after a failure. */
export interface TaskStage {
  open(): Promise<StageExecutor>;
  /** The PCollection that the stage is fed with. */
  readonly input: string;
  /** Another one, for what comes too late to be grouped. */
  readonly late?: string | undefined;
  /** Makes the head, which emits to the receivers it is given; without it elements go to the stage as they come. */
  readonly head?: ((stage: Receiver, late: Receiver) => HeadOperator) | undefined;
  /** Makes the head of a stateful stage, which is behind any other: it is given each element again if a bundle fails. */
  readonly keyed?: ((stage: Receiver, executor: TimerTarget) => HeadOperator) | undefined;
  /** Whether the elements that the stage is given are of a key each: then errors name it. */
  readonly isKeyed?: boolean;
}

/** Where a head fires timers. */
export interface TimerTarget {
  blocked(): Promise<void> | undefined;
  fire(timer: FiredTimer): void;
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
  /** What else takes part in the task's bundles. */
  readonly participants?: readonly BundleParticipant[];
}

const BLOCKED = "asynchronous user code";
/** Tasks named where one waits for input. */
const NAMED = 3;

interface ExecutorCounts {
  readonly elementCounts: ReadonlyMap<string, number>;
  readonly own: readonly Metric[];
  readonly committed: readonly Metric[];
}

const NOTHING_COUNTED: ExecutorCounts = { elementCounts: new Map(), own: [], committed: [] };

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
 * - T9. Bundles are atomic: outputs, and what else takes part, show when `finishBundle` has resolved, or not at all. One whose user code
 *   fails is tried again, by a new executor, with the same elements (Replay); nothing else is processed before that is over. Only where
 *   a single element puts out more than can be held its bundle's output goes before the end, and its failure fails the run.
 */
export class Task {
  readonly id: string;
  readonly componentId: string;
  private phase: Phase = "new";
  private stage!: TaskStage;
  private executor!: StageExecutor;
  /** False between the end of an executor that has failed and the opening of the next one. */
  private executorIsOpen = false;
  private openings = 0;
  private toExecutor!: Receiver;
  private toLate: Receiver | undefined;
  /** Where the elements of a bundle go, and go again if it fails: the executor, or the head of its state. */
  private toStage!: Receiver;
  private head!: HeadOperator;
  private keyed: HeadOperator | undefined;
  /** The timer that is firing, if the stage is not busy with an element. */
  private fired: FiredTimer | undefined;
  /** Whether elements go to the stage as they come: no head is in between. */
  private direct = false;
  private batch: ElementBatch | undefined;
  private position = 0;
  private bundleOpen = false;
  private bundleElements = 0;
  /** Elements after which the bundle ends. */
  private bundleLimit: number;
  private readonly pick: Pick | undefined;
  /** What the open bundle has given to the stage; while a failed one is tried again that is kept by {@link replay}. */
  private readonly log = new BundleLog();
  /** Where the open bundle's part of the batch begins. */
  private logFrom = 0;
  private replay: Replay | undefined;
  /** Whether code of the stage is running, in a call from here. */
  private atStage = false;
  private readonly participants: readonly BundleParticipant[];
  private reopening: Promise<void> | undefined;
  private bundles = 0;
  private retries = 0;
  private bundlesLetGo = 0;
  private busyMs = 0;
  private elementsIn = 0;
  /** What executors have counted that are closed because they failed. */
  private countsBefore: StageCounts & { readonly attempted: readonly Metric[] } = { elements: new Map(), metrics: [], attempted: [] };
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
    this.participants = [this.outbox, ...(parts.participants ?? [])];
    this.pacer = new Pacer(parts.options.bundleMs);
    this.bundleLimit = parts.options.bundleElements;
    if (parts.options.shuffleSeed !== undefined) this.pick = this.inbox.pick = pickBy(seedOf(this.id, parts.options.shuffleSeed));
    const wake = (): void => this.owner.wake(this);
    this.inbox.onArrival = this.outbox.onRoom = wake;
    for (const { inbox } of this.sideInputs) inbox.onArrival = wake;
  }

  /** What an executor is opened with; the one before it, if any, is not waited for any more. */
  contextFor(outputs: readonly string[], keyed?: KeyedState): StageContext {
    const opening = ++this.openings;
    return {
      keyed,
      outputs: new Map(outputs.map((pcollection) => [pcollection, this.outbox.receiverOf(pcollection)])),
      sideInputs: new Map(this.sideInputs.map((sideInput) => [sideInput.pcollection, sideInput])),
      shouldPause: () => this.outbox.isFull || this.pacer.overtime(),
      resume: () =>
        new Promise((resolve) => {
          if (opening !== this.openings || !this.executorIsOpen) return resolve(); // it has been aborted
          this.resumers.push(resolve);
          this.owner.wake(this);
        }),
    };
  }

  /** Opens the stage: its user code is set up when it resolves. */
  async open(stage: TaskStage): Promise<void> {
    this.opened(stage, await stage.open());
  }

  /** Puts the executor and the head in place; {@link stop} closes the executor from now on. */
  opened(stage: TaskStage, executor: StageExecutor): void {
    this.stage = stage;
    this.keyed = stage.keyed?.(this.delivered, {
      blocked: () => {
        const blocked = this.executor.blocked();
        blocked?.catch(() => {}); // the head only asks whether; of a failure the task hears by itself
        return blocked;
      },
      fire: (timer) => this.fire(timer),
    });
    this.use(executor);
    const front = stage.head?.(this.emitted, this.emittedLate);
    this.direct = front === undefined;
    if (this.keyed === undefined) this.head = front ?? new RelayHead(this.toStage);
    else this.head = front === undefined ? this.keyed : new HeadInFront(front, this.keyed);
    this.phase = "opened";
  }

  /** Turns may follow. */
  start(): void {
    this.phase = "running";
    this.owner.wake(this);
  }

  /** Works until `deadline` (performance.now()) at most; true if there is more to do right away. */
  turn(deadline: number): boolean {
    const start = this.pacer.startTurn(deadline);
    this.atStage = false;
    try {
      if (this.waitingFor !== undefined) this.letResume();
      else if (this.phase === "running") return this.work();
      else if (this.phase === "closed") this.finishIfHandedOver();
    } catch (error) {
      this.failed(error, this.atStage);
    } finally {
      this.busyMs += performance.now() - start;
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
      if (this.reopening !== undefined) {
        await this.reopening;
        this.closing = this.head.close?.();
      } else if (phase === "opened" || phase === "running") {
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
    if (this.outbox.waitsForRoom || this.phase === "closed") return this.describeRoom();
    if (this.waitingFor !== undefined) return (this.executorIsOpen ? this.executor.describeWait?.() : undefined) ?? this.waitingFor;
    const besides = this.head.waitsFor;
    if (this.inputWatermark === MAX_TIMESTAMP) return besides ?? "input";
    return besides === undefined ? this.describeInput() : `${this.describeInput()}, and ${besides}`;
  }

  counts(): TaskCounts {
    const isOpen = this.phase !== "new";
    const { elements, metrics, attempted } = this.countsBefore;
    const { elementCounts, own, committed } = this.executorCounts();
    const now = this.clock.now();
    return {
      component: this.componentId,
      elementsIn: this.elementsIn,
      elementsOut: this.outbox.sent,
      bytesIn: this.inbox.bytesTaken,
      bytesOut: this.outbox.sentBytes,
      bundles: this.bundles,
      retries: this.retries,
      bundlesLetGo: this.bundlesLetGo,
      busyMs: this.busyMs,
      inputWatermark: this.inputWatermark,
      outputWatermark: this.outbox.watermark,
      watermarkLagMs: isInstant(this.outbox.watermark) ? Math.max(0, now - this.outbox.watermark) : undefined,
      queuedBytes: this.inbox.queuedBytes + this.outbox.queuedBytes,
      backlogBytes: this.inbox.queuedBytes,
      droppedLate: isOpen ? this.head.droppedLate : 0,
      droppedClosed: isOpen ? this.head.droppedClosed : 0,
      pcollections: Object.fromEntries(sumOf(elements, elementCounts)),
      metrics: attempted.length === 0 ? own : mergeMetrics([...attempted, ...own]),
      committed: metrics.length === 0 ? committed : mergeMetrics([...metrics, ...committed]),
    };
  }

  private describeRoom(): string {
    const to = this.outbox.fullDestinations.filter((name) => name !== "");
    return `room for ${this.outbox.queuedBytes} bytes of output${to.length === 0 ? "" : ` at ${to.join(", ")}`}`;
  }

  private describeInput(): string {
    const from = [...new Set(this.inbox.laggards)].filter((name) => name !== "");
    if (from.length === 0) return "input";
    const named = from.slice(0, NAMED).join(", ") + (from.length > NAMED ? ` and ${from.length - NAMED} more` : "");
    const watermark = this.inputWatermark;
    return `input from ${named}${isInstant(watermark) ? `, whose watermark is ${formatTimestamp(watermark)}` : ""}`;
  }

  private work(): boolean {
    this.head.poll?.();
    for (;;) {
      if (this.outbox.waitsForRoom) return false; // T1: woken by room
      if (this.pacer.overtime()) return true;
      if (this.bundleOpen && this.bundleIsEnough()) {
        if (!this.closeBundle()) return false;
      } else if (this.replay !== undefined) {
        if (!this.feedAgain(this.replay)) return false; // T9: before anything else
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
        this.position = this.logFrom = 0;
      } else if (this.inbox.watermark === this.inputWatermark) {
        if (this.bundleOpen) {
          if (!this.closeBundle()) return false;
          continue;
        }
        if (this.inputWatermark === MAX_TIMESTAMP && this.head.waitsFor === undefined) this.close();
        else if (this.isIdle()) this.outbox.sendIdle();
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
    try {
      return relays ? this.feedStage(batch, end) : this.feedGrouping(batch, end);
    } finally {
      const taken = this.position - before;
      this.elementsIn += taken;
      if (relays) this.bundleElements += taken;
      if (this.position === batch.length) {
        if (this.direct) this.log.addRange(batch, this.logFrom, batch.length);
        this.batch = undefined;
        this.inbox.release();
      }
    }
  }

  /** The tight loop of a relay. */
  private feedStage(batch: ElementBatch, end: number): boolean {
    const { values, metas } = batch;
    const shared = batch.meta!;
    const { executor, outbox, pacer, direct } = this;
    const receive: Receiver = direct ? this.toStage : this.head.process;
    this.atStage = direct && this.keyed === undefined; // else `delivered` tells
    for (let i = this.position; i < end; i++) {
      this.position = i + 1;
      receive(values[i], metas === undefined ? shared : metas[i]);
      const blocked = executor.blocked();
      if (blocked !== undefined) {
        this.waitFor(blocked, BLOCKED);
        return false;
      }
      if (outbox.pressed || pacer.tick()) break;
    }
    this.atStage = false;
    return true;
  }

  /** Feeds elements of a bundle that has failed, once more; false if a promise has to be waited for. */
  private feedAgain(replay: Replay): boolean {
    if (!this.ensureBundle()) return false;
    if (this.keyed?.draining === true) {
      this.keyed.drain(this.pauseDrain); // timers of the bundle are set again: they come by themselves
      return this.waitingFor === undefined;
    }
    if (replay.isDelivered) return this.closeBundle();
    if (replay.isLast) this.bundleLimit = 1;
    const { executor, outbox, pacer } = this;
    this.atStage = this.keyed === undefined;
    while (!replay.isDelivered && this.bundleElements < this.bundleLimit) {
      const at = replay.next();
      this.bundleElements++;
      const receive = replay.isLate(at) ? this.toLate! : this.toStage;
      receive(replay.valueAt(at), replay.metaAt(at));
      const blocked = executor.blocked();
      if (blocked !== undefined) {
        this.waitFor(blocked, BLOCKED);
        return false;
      }
      if (outbox.pressed || pacer.tick()) break;
    }
    this.atStage = false;
    return true;
  }

  /** What a head emits to: it comes again if the bundle fails. */
  private readonly emitted = (value: unknown, meta: ElementMeta): void => {
    this.log.add(value, meta);
    if (this.keyed === undefined) this.delivered(value, meta);
    else this.toStage(value, meta);
  };

  private readonly emittedLate = (value: unknown, meta: ElementMeta): void => {
    this.log.addLate(value, meta);
    this.atStage = true;
    this.toLate!(value, meta);
    this.atStage = false;
  };

  /** To the executor, from a head: so it is known whose failure it is. */
  private readonly delivered = (value: unknown, meta: ElementMeta): void => {
    this.fired = undefined;
    this.atStage = true;
    this.toExecutor(value, meta);
    this.atStage = false;
  };

  private fire(timer: FiredTimer): void {
    this.fired = timer;
    this.atStage = true;
    this.executor.fire?.(timer);
    this.atStage = false;
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
    if (blocked !== undefined || this.outbox.pressed || this.pacer.tick() || this.log.bytes >= this.options.bundleBytes) return true;
    return this.bundleElements++ >= this.bundleLimit;
  };

  private bundleIsEnough(): boolean {
    return (
      this.bundleElements >= this.bundleLimit ||
      this.pacer.bundleIsOver() ||
      this.outbox.holdsEnough ||
      this.log.bytes >= this.options.bundleBytes
    );
  }

  private ensureBundle(): boolean {
    if (this.bundleOpen) return true;
    this.bundleOpen = true;
    this.bundleElements = 0;
    if (this.pick !== undefined) this.bundleLimit = 1 + this.pick(Math.min(8, this.options.bundleElements));
    this.pacer.startBundle();
    for (const participant of this.participants) participant.begin();
    this.atStage = true;
    const started = this.executor.startBundle();
    this.atStage = false;
    if (started === undefined) return true;
    this.waitFor(started, "start of a bundle in user code");
    return false;
  }

  /** True if it is closed already, false if a promise has to be waited for. */
  private closeBundle(): boolean {
    this.fired = undefined;
    this.atStage = true;
    const finished = this.executor.finishBundle();
    this.atStage = false;
    if (finished === undefined) {
      this.commit();
      return true;
    }
    this.waitFor(
      finished.then(() => this.commit()),
      "end of a bundle in user code",
    );
    return false;
  }

  /** T9 */
  private commit(): void {
    if (this.phase !== "running") return;
    this.bundleOpen = false;
    this.fired = undefined;
    this.bundles++;
    this.head.committed?.();
    this.log.clear();
    this.logFrom = this.position;
    for (const participant of this.participants) participant.commit();
    if (this.replay !== undefined) {
      this.replay.commit();
      if (!this.replay.isCommitted) return;
      this.replay = undefined;
      this.bundleLimit = this.options.bundleElements;
    }
    this.publishWatermark();
  }

  /** What user code of the stage fails with is tried again; anything else is beyond that. */
  private failed(error: unknown, atStage: boolean): void {
    const isRetried = this.phase === "running" && atStage && error instanceof UserCodeError && (this.bundleOpen || !this.executorIsOpen);
    if (isRetried) this.rollback(error);
    else this.fail(error);
  }

  /** T9 */
  private rollback(error: UserCodeError): void {
    if (this.bundleOpen && !this.outbox.holding) return this.fail(error.at({ attempts: 1 }));
    const replay = (this.replay ??= this.replayOfBundle());
    const mayTryAgain = replay.fail();
    if (!mayTryAgain || error.isPermanent) {
      const known = this.fired === undefined ? replay.culprit(this.stage.isKeyed === true) : siteOfTimer(this.fired);
      const attempts = error.isPermanent ? undefined : replay.failures;
      return this.fail(error.at({ ...known, ...definedOf(error.site), attempts }));
    }
    this.retries++;
    this.owner.taskRetries?.(this, error);
    if (this.bundleOpen) {
      this.head.rolledBack?.();
      for (const participant of this.participants) participant.rollback();
    }
    this.fired = undefined;
    this.bundleOpen = false;
    replay.rewind();
    this.reopening = this.reopen(replay.delayMs);
    this.waitFor(this.reopening, "user code to be set up again after a failure");
  }

  private replayOfBundle(): Replay {
    if (this.direct && this.batch !== undefined) this.log.addRange(this.batch, this.logFrom, this.position);
    this.logFrom = this.position;
    const { late } = this.log;
    const elements = this.log.take();
    const { bundleAttempts, retryDelayMs } = this.options;
    const replay = new Replay(elements, late, bundleAttempts, retryDelayMs);
    replay.position = elements.length;
    return replay;
  }

  /** Closes the executor that has failed and opens another; resolves early if the task is stopped. */
  private async reopen(delayMs: number): Promise<void> {
    if (this.executorIsOpen) {
      this.executor.abort();
      const { elementCounts, own, committed } = this.executorCounts();
      this.executorIsOpen = false;
      const { elements, metrics, attempted } = this.countsBefore;
      this.countsBefore = {
        elements: sumOf(elements, this.executor.committed?.().elements ?? elementCounts),
        metrics: mergeMetrics([...metrics, ...committed]),
        attempted: mergeMetrics([...attempted, ...own]),
      };
      for (const resume of this.resumers.splice(0)) resume(); // for what was paused to see that it is over
      await this.executor.close().catch(() => {}); // the failure that led here is what counts
    }
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (this.phase !== "running") return;
    const executor = await this.stage.open();
    if (this.phase === "running") this.use(executor);
    else await executor.close();
  }

  private use(executor: StageExecutor): void {
    this.executor = executor;
    this.executorIsOpen = true;
    const { input, late } = this.stage;
    this.toExecutor = executor.receiver(input);
    this.toLate = late === undefined ? undefined : executor.receiver(late);
    this.toStage = this.keyed?.process ?? this.toExecutor;
  }

  /** What the present executor has counted: elements, user metrics, and those of them that are committed. */
  private executorCounts(): ExecutorCounts {
    if (!this.executorIsOpen) return NOTHING_COUNTED;
    const { executor } = this;
    const own = executor.metrics?.() ?? [];
    const committed = executor.committed === undefined ? own : executor.committed().metrics;
    return { elementCounts: this.finalCounts ?? executor.elementCounts(), own, committed };
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
        this.waitingFor = this.reopening = undefined;
        this.owner.wake(this);
      },
      (error: unknown) => {
        this.waitingFor = this.reopening = undefined;
        this.failed(error, true);
      },
    );
  }

  private letResume(): void {
    if (this.resumers.length === 0) return;
    if (this.outbox.holding && this.outbox.isFull) this.letGo();
    if (this.outbox.isFull) return;
    const resumers = this.resumers;
    this.resumers = [];
    for (const resume of resumers) resume();
  }

  /** T9: the bundle's only way to its end is that its output goes. */
  private letGo(): void {
    this.bundlesLetGo++;
    this.outbox.letGo();
  }

  private fail(error: unknown): void {
    if (this.phase === "stopped" || this.phase === "done") return;
    this.owner.taskFailed(this, error);
  }
}

function isInstant(watermark: Timestamp): boolean {
  return watermark > MIN_TIMESTAMP && watermark < MAX_TIMESTAMP;
}

function sumOf(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (a.size === 0) return b;
  const sum = new Map(a);
  for (const [key, n] of b) sum.set(key, (sum.get(key) ?? 0) + n);
  return sum;
}

/** The properties that have a value. */
function definedOf(site: ErrorSite): Partial<ErrorSite> {
  return Object.fromEntries(Object.entries(site).filter(([, value]) => value !== undefined)) as Partial<ErrorSite>;
}
