import type { FiredTimer, RunCheckpoints, StageContext, StageExecutor } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import type { Emit } from "../windows/index.js";
import type { HeadOperator } from "./head.js";
import type { Outbox } from "./outbox.js";
import type { Pacer } from "./pacer.js";
import type { SideInputBuffer } from "./side-input-buffer.js";
import { NO_TOTALS, sumOfTotals, totalsOf, totalsOfFailed, type StageTotals } from "./stage-totals.js";

/** The stage that a task runs: how its executor is opened, and again after a failure. */
export interface TaskStage {
  open(): Promise<StageExecutor>;
  /** The PCollection that the stage is fed with. */
  readonly input: string;
  /** Another one, for what comes too late to be grouped. */
  readonly late?: string | undefined;
  /** Makes the head, which emits to the receivers it is given; without it elements go to the stage as they come. */
  readonly head?: ((stage: Emit, late: Receiver) => HeadOperator) | undefined;
  /** Makes the head of a stateful stage, which is behind any other: it is given each element again if a bundle fails. */
  readonly keyed?: ((stage: Receiver, executor: TimerTarget) => HeadOperator) | undefined;
  /** Whether the elements that the stage is given are of a key each: then errors name it. */
  readonly isKeyed?: boolean;
}

/** Where a head fires timers. */
export interface TimerTarget {
  blocked(): Promise<void> | undefined;
  fire(timer: FiredTimer): void;
  /** As the executor's. */
  readonly setsTimersLate: boolean;
  /** What comes next has to wait until the bundle is over. */
  endBundleSoon(): void;
}

/** What the executors of a task are given, besides state. */
export interface StageRunnerParts {
  readonly outbox: Outbox;
  readonly sideInputs: readonly SideInputBuffer[];
  readonly pacer: Pacer;
  /** Gives the task a turn. */
  readonly wake: () => void;
  /** Whether the job is being drained. */
  readonly isDraining: () => boolean;
  readonly checkpoints: RunCheckpoints | undefined;
  /** Has the open bundle end as soon as it can. */
  readonly endBundleSoon: () => void;
}

/**
 * The stage side of a task: the executor that is open now, with the head of its state in front where it has one.
 *
 * - S1. What throws while {@link isRunning} is a failure of the stage; it stays so until {@link leave}, for whoever catches that to see.
 * - S2. An executor that has failed is aborted at once, and closed before the next one is opened.
 * - S3. No promise of {@link StageContext.resume} outlives its executor: what was paused then sees for itself that it is over.
 * - S4. Totals cover all executors; elements that are going to be given to the next one again are counted once.
 * - S5. {@link receive} and {@link receiveLate} are the same whatever executor is open.
 */
export class StageRunner {
  /** The one that is open, or was last. */
  executor!: StageExecutor;
  /** False between the end of an executor that has failed and the opening of the next one. */
  isOpen = false;
  /** Whether code of the stage is running, in a call from here (S1). */
  isRunning = false;
  /** The timer that is firing, if the stage is not busy with an element. */
  firing: FiredTimer | undefined;
  /** The head of the stage's state. */
  keyed: HeadOperator | undefined;
  /** Takes an element of the stage's input: to its state, if it has any, or right to the executor. */
  receive!: Receiver;
  private stage!: TaskStage;
  private toExecutor!: Receiver;
  private toExecutorLate: Receiver | undefined;
  private openings = 0;
  private stopped = false;
  private reopening: Promise<void> | undefined;
  /** Resolvers of calls that are paused. */
  private paused: (() => void)[] = [];
  private totalsBefore = NO_TOTALS;
  private finalElements: ReadonlyMap<string, number> | undefined;

  constructor(private readonly parts: StageRunnerParts) {}

  /** What the next executor is opened with; the one before it, if any, is not waited for any more. */
  contextFor(outputs: readonly string[]): Omit<StageContext, "keyed" | "restrictions"> {
    const { outbox, sideInputs, pacer, wake, isDraining, checkpoints } = this.parts;
    const opening = ++this.openings;
    return {
      outputs: new Map(outputs.map((pcollection) => [pcollection, outbox.receiverOf(pcollection)])),
      sideInputs: new Map(sideInputs.map((sideInput) => [sideInput.pcollection, sideInput])),
      isDraining,
      checkpoints,
      shouldPause: () => outbox.isFull || pacer.overtime(),
      resume: () =>
        new Promise((resolve) => {
          if (opening !== this.openings || !this.isOpen) return resolve(); // S3
          this.paused.push(resolve);
          wake();
        }),
    };
  }

  /** Puts the first executor in place. */
  opened(stage: TaskStage, executor: StageExecutor): void {
    this.stage = stage;
    this.keyed = stage.keyed?.(this.deliver, {
      blocked: () => this.blockedAtAll(),
      fire: (timer) => this.fire(timer),
      setsTimersLate: executor.setsTimersLate === true,
      endBundleSoon: this.parts.endBundleSoon,
    });
    this.receive = this.keyed?.process ?? this.deliver;
    this.use(executor);
  }

  /** Whether the stage's elements are of a key each. */
  get isKeyed(): boolean {
    return this.stage.isKeyed === true;
  }

  readonly receiveLate: Receiver = (value, meta) => {
    this.isRunning = true;
    this.toExecutorLate!(value, meta);
    this.isRunning = false;
  };

  /**
   * As {@link receive}, for a loop that gives elements one behind the other: so `isRunning` costs nothing by the element. Ends with
   * {@link leave}, and is not kept beyond.
   */
  enter(): Receiver {
    if (this.keyed !== undefined) return this.keyed.process; // each of its elements enters by itself
    this.isRunning = true;
    return this.toExecutor;
  }

  leave(): void {
    this.isRunning = false;
  }

  startBundle(): void | Promise<void> {
    this.isRunning = true;
    const started = this.executor.startBundle();
    this.isRunning = false;
    return started;
  }

  finishBundle(): void | Promise<void> {
    this.firing = undefined;
    this.isRunning = true;
    const finished = this.executor.finishBundle();
    this.isRunning = false;
    return finished;
  }

  get canSplit(): boolean {
    return this.executor.split !== undefined;
  }

  /** Splits the work that is waited for; a failure shows where that is waited for. */
  split(fraction: number): void {
    this.executor.split?.(fraction);
  }

  /** Asks whether the stage is blocked, for somebody who does not wait: of a failure the task hears by itself. */
  blockedAtAll(): Promise<void> | undefined {
    const blocked = this.executor.blocked();
    blocked?.catch(() => {});
    return blocked;
  }

  /** Whether calls are paused until {@link resume}. */
  get isPaused(): boolean {
    return this.paused.length > 0;
  }

  resume(): void {
    for (const resume of this.paused.splice(0)) resume();
  }

  /** Opens another executor in place of the one that has failed (S2); without one, once the stage is stopped. */
  reopen(delayMs: number): Promise<void> {
    this.firing = undefined;
    return (this.reopening = this.replaceExecutor(delayMs).finally(() => (this.reopening = undefined)));
  }

  /** Ends the stage after its last bundle; user code is torn down when it resolves. */
  close(): Promise<void> {
    this.finalElements = new Map(this.executor.elementCounts());
    return this.executor.close();
  }

  /** Ends it wherever it is; resolves when no executor is open. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.reopening !== undefined) return this.reopening;
    this.executor.abort();
    await this.executor.close();
  }

  /** S4 */
  totals(): StageTotals {
    if (!this.isOpen) return this.totalsBefore;
    const now = totalsOf(this.executor);
    const { finalElements } = this;
    const last = finalElements === undefined ? now : { ...now, elements: finalElements, committedElements: finalElements };
    return sumOfTotals(this.totalsBefore, last);
  }

  /** For people: which user code has not settled yet, if the executor knows. */
  describeWait(): string | undefined {
    return this.isOpen ? this.executor.describeWait?.() : undefined;
  }

  private readonly deliver: Receiver = (value, meta) => {
    this.firing = undefined;
    this.isRunning = true;
    this.toExecutor(value, meta);
    this.isRunning = false;
  };

  private fire(timer: FiredTimer): void {
    this.firing = timer;
    this.isRunning = true;
    this.executor.fire?.(timer);
    this.isRunning = false;
  }

  private async replaceExecutor(delayMs: number): Promise<void> {
    if (this.isOpen) {
      this.executor.abort();
      this.totalsBefore = this.totalsWithFailed();
      this.isOpen = false;
      this.resume(); // S3
      await this.executor.close().catch(() => {}); // the failure that led here is what counts
    }
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (this.stopped) return;
    const executor = await this.stage.open();
    if (this.stopped) await executor.close();
    else this.use(executor);
  }

  private totalsWithFailed(): StageTotals {
    return sumOfTotals(this.totalsBefore, totalsOfFailed(this.executor));
  }

  private use(executor: StageExecutor): void {
    const { input, late } = this.stage;
    this.executor = executor;
    this.isOpen = true;
    this.toExecutor = executor.receiver(input);
    this.toExecutorLate = late === undefined ? undefined : executor.receiver(late);
  }
}
