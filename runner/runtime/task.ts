import {
  UserCodeError,
  type KeyedState,
  type RunCheckpoints,
  type StageContext,
  type StageExecutor,
} from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import { Alarm } from "./alarm.js";
import { Bundle, type RemoteStage } from "./bundle.js";
import type { BundleParticipant } from "./bundle-participant.js";
import type { Clock } from "./clock.js";
import { Feed } from "./feed.js";
import { Finalizers } from "./finalizers.js";
import type { HeadOperator } from "./head.js";
import { headInFrontOf } from "./head-in-front.js";
import type { InFlight } from "./in-flight.js";
import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import { Pacer } from "./pacer.js";
import type { Replay } from "./replay.js";
import type { Residuals } from "./residuals.js";
import type { RuntimeOptions } from "./runtime-options.js";
import { pickBy, seedOf } from "./shuffle.js";
import type { SideInputBuffer } from "./side-input-buffer.js";
import { StageRunner, type TaskStage } from "./stage-runner.js";
import type { TaskCounts } from "./task-counts.js";
import { countsOf, describeRoom, describeWait, type TaskView } from "./task-report.js";

/** What a task tells its worker. */
export interface TaskOwner {
  /** Give the task a turn: it may have something to do. */
  wake(task: Task): void;
  taskDone(task: Task): void;
  taskFailed(task: Task, error: unknown): void;
  /** A bundle has failed and is tried again. */
  taskRetries?(task: Task, error: UserCodeError): void;
}

export interface TaskParts {
  /** Unique and readable, e.g. `bolt-2 count words #0`. */
  readonly id: string;
  readonly componentId: string;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly sideInputs: readonly SideInputBuffer[];
  readonly options: RuntimeOptions;
  /** Where its stage is executed in another process. */
  readonly remote?: RemoteStage | undefined;
  readonly clock: Clock;
  readonly owner: TaskOwner;
  /** What else takes part in the task's bundles. */
  readonly participants?: readonly BundleParticipant[];
  /** Whether it takes a published epoch for what the task has done to be durable; default: it is with its commit. */
  readonly awaitsEpochs?: boolean;
  /** Called when the task is at the barrier of an epoch (T10), and when it is asked for one after its end; `lags` if more of the epoch comes. */
  readonly onBarrier?: (epoch: number, lags: boolean) => void;
  /** Called when nothing more of the epoch comes. */
  readonly onCaughtUp?: (epoch: number) => void;
  /** Keeps what comes of an epoch behind its barrier; without it a task waits for all channels however long that takes (T12). */
  readonly inFlight?: InFlight | undefined;
  /** What user code is told of the run's checkpoints; undefined where there are none. */
  readonly checkpoints?: Omit<RunCheckpoints, "epoch"> | undefined;
  /** Called, perhaps often, while the task waits for nothing but a checkpoint. */
  readonly onCheckpointWanted?: () => void;
}

/** Of what is left of a restriction, for its own task. */
const HALF = 0.5;
const BLOCKED = "asynchronous user code";

type Phase = "new" | "opened" | "running" | "closing" | "closed" | "done" | "stopped";

/**
 * One copy of a component: takes batches from its inbox, runs them through the head and the stage in bundles, and
 * passes watermarks on. It is cooperative: {@link turn} does what can be done by a deadline and returns.
 *
 * The task is the loop: it decides what comes next, waits for promises, and sends watermarks. What runs the stage is its
 * {@link StageRunner}, what makes elements atomic its {@link Bundle}; its {@link Feed} gives elements to both.
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
 *   fails is tried again, by a new executor, with the same elements (Bundle B1, B2); nothing else is processed before that is over. Only
 *   where a single element puts out more than can be held is a failure final (B4).
 * - T10. A barrier takes effect between bundles, when all that came before it has been processed and put out; it goes on to the task's own
 *   channels behind that. What the task keeps is then just what is left of the epoch.
 * - T11. A task that is drained ends as at the end of its input, which comes when the sources in front of it, or its own, have ended.
 * - T12. Where some channels have brought a barrier and others have not for `alignmentMs`, it takes effect without them: what they bring of the epoch
 *   is recorded, and in the snapshot, too.
 * - T13. A turn of a source ends with its bundle: what that has put out, and the watermark behind it, is dealt with before more is read.
 * - T14. What other tasks of the component say is heard at the start of each turn, whatever is waited for. For them no task waits at a barrier: it is as
 *   with channels that lag (T12).
 * - T15. Where a bundle costs round trips it is ended for want of input only when the other tasks have had a turn, which may bring more.
 */
export class Task {
  readonly id: string;
  private phase: Phase = "new";
  private head!: HeadOperator;
  private feed!: Feed;
  private readonly stage: StageRunner;
  private readonly bundle: Bundle;
  private readonly alarm: Alarm;
  private readonly pacer: Pacer;
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly owner: TaskOwner;
  private inputWatermark: Timestamp = MIN_TIMESTAMP;
  /** T4: what the promise is for, for people. */
  private waitingFor: string | undefined;
  private closing: Promise<void> | undefined;
  private readonly finalizers: Finalizers;
  private busyMs = 0;
  /** An epoch that has been asked for: if no barrier comes of it, the task's end does. */
  private epochAtEnd: number | undefined;
  private lastEpoch: number;
  /** T12: when it has waited for long enough. */
  private overtakeAt = Infinity;
  /** T11 */
  private isDraining = false;
  /** T15: the others have a turn. */
  private lingers = false;

  constructor(private readonly parts: TaskParts) {
    const { inbox, outbox, sideInputs, options, clock, participants = [] } = parts;
    const wake = (): void => parts.owner.wake(this);
    this.id = parts.id;
    this.inbox = inbox;
    this.outbox = outbox;
    this.owner = parts.owner;
    this.alarm = new Alarm(clock, wake);
    const pacer = (this.pacer = new Pacer());
    const checkpoints = parts.checkpoints && { ...parts.checkpoints, epoch: () => this.lastEpoch + 1 };
    this.lastEpoch = checkpoints?.from ?? 0;
    const isDraining = (): boolean => this.isDraining;
    const endBundleSoon = (): void => this.bundle.endSoon();
    const stage = (this.stage = new StageRunner({ outbox, sideInputs, pacer, wake, isDraining, checkpoints, endBundleSoon }));
    const pick = options.shuffleSeed === undefined ? undefined : pickBy(seedOf(this.id, options.shuffleSeed));
    this.finalizers = new Finalizers(clock, parts.awaitsEpochs === true, (error) => this.fail(error));
    this.bundle = new Bundle({
      stage,
      outbox,
      participants: [...participants, this.finalizers],
      pacer,
      options,
      pick,
      remote: parts.remote,
    });
    inbox.pick = pick;
    inbox.onArrival = outbox.onRoom = wake;
    inbox.onLate = (batch) => parts.inFlight?.record(batch);
    inbox.onCaughtUp = () => {
      parts.inFlight?.end();
      this.caughtUp();
    };
  }

  /** T12: something of the epoch that was to come has come. */
  readonly caughtUp = (): void => {
    if (!this.inbox.isLagging && this.head.peers?.isLagging !== true) this.parts.onCaughtUp?.(this.lastEpoch);
  };

  /** What an executor is opened with; the one before it, if any, is not waited for any more. */
  contextFor(outputs: readonly string[], { keyed, residuals }: { keyed?: KeyedState; residuals?: Residuals } = {}): StageContext {
    const { bundle, finalizers } = this;
    return {
      ...this.stage.contextFor(outputs),
      keyed,
      restrictions: residuals?.contextWith(
        () => bundle.claimed(),
        () => this.shares(),
      ),
      onCommitted: (callback, expireAfterMs) => finalizers.add(callback, expireAfterMs),
    };
  }

  /** Opens the stage: its user code is set up when it resolves. */
  async open(stage: TaskStage): Promise<void> {
    this.opened(stage, await stage.open());
  }

  /** Puts the executor and the head in place; {@link stop} closes the executor from now on. */
  opened(taskStage: TaskStage, executor: StageExecutor): void {
    const { inbox, outbox, stage, bundle, pacer } = this;
    stage.opened(taskStage, executor);
    const front = taskStage.head?.(bundle.emit, bundle.emitLate);
    const head = (this.head = headInFrontOf(stage, front));
    bundle.opened(head);
    this.feed = new Feed({ inbox, head, bundle, stage, outbox, pacer, direct: front === undefined });
    this.phase = "opened";
    if (this.isDraining) head.beginDrain?.();
  }

  /** It goes on from where its input watermark was this, in another run; before {@link start}. */
  goOnFrom(inputWatermark: Timestamp): void {
    this.inputWatermark = inputWatermark;
    this.inbox.goOnFrom(inputWatermark);
    this.head.advance(inputWatermark);
  }

  /** It had come to its end in another run; instead of {@link open}. */
  goOnFromEnd(): void {
    this.phase = "closed";
    this.inputWatermark = MAX_TIMESTAMP;
  }

  /** Turns may follow. */
  start(): void {
    if (this.phase === "closed") this.outbox.sendWatermark(MAX_TIMESTAMP);
    else this.phase = "running";
    if (this.phase === "running" && this.inputWatermark > MIN_TIMESTAMP) this.publishWatermark(); // others may wait for it who have not had it
    this.owner.wake(this);
  }

  /** An epoch has begun: the task is at its barrier as soon as all of its input is (T10). */
  requestBarrier(epoch: number): void {
    if (epoch <= this.lastEpoch) return; // its barrier has been here before this call
    if (this.phase === "closed" || this.phase === "done") return this.atBarrier(epoch);
    this.epochAtEnd = epoch;
    this.inbox.requestBarrier(epoch);
    for (const { inbox } of this.parts.sideInputs) inbox.requestBarrier(epoch);
    if (this.isAtBarrier) this.bundle.endSoon();
    this.owner.wake(this);
  }

  /** The epoch is published: what waited for that goes on. */
  published(epoch: number): void {
    this.finalizers.published(epoch);
    if (this.phase !== "running") return;
    this.head.published?.(epoch);
    this.owner.wake(this);
  }

  /** Where its input is complete up to. */
  get watermark(): Timestamp {
    return this.inputWatermark;
  }

  /** Whether nothing more comes of it, though its last output may still be on its way. */
  get isOver(): boolean {
    return this.phase === "closed" || this.phase === "done";
  }

  /** T11: from now on; before the start, too. */
  beginDrain(): void {
    if (this.isDraining || this.phase === "done" || this.phase === "stopped") return;
    this.isDraining = true;
    if (this.phase === "new") return; // its head hears of it when it is there
    this.head.beginDrain?.();
    this.owner.wake(this);
  }

  /** Works until `deadline` (performance.now()) at most; true if there is more to do right away. */
  turn(deadline: number): boolean {
    const start = this.pacer.startTurn(deadline);
    this.stage.leave(); // a failure may have left it entered
    try {
      if (this.phase === "running") this.head.peers?.hear();
      if (this.waitingFor !== undefined) {
        if (this.bundle.isOpen && this.stage.isOpen && this.stage.canSplit && this.shares()) this.stage.split(HALF);
        this.letResume();
      } else if (this.phase === "running") return this.work();
      else if (this.phase === "closed") this.finishIfHandedOver();
    } catch (error) {
      this.failed(error, this.stage.isRunning);
    } finally {
      this.busyMs += performance.now() - start;
    }
    return false;
  }

  /** Drops what it is doing, after a failure or a cancellation; resolves when the executor is closed. */
  async stop(): Promise<void> {
    const { phase } = this;
    if (phase === "done") return this.finalizers.settled;
    if (phase === "stopped") return;
    this.phase = "stopped";
    this.alarm.set(Infinity);
    if (phase === "new") return;
    try {
      await (this.closing ??= this.closeWith(this.stage.stop()));
    } catch {
      // The job has failed or is cancelled already: what closing adds to it is no news.
    }
  }

  get isDone(): boolean {
    return this.phase === "done";
  }

  /** Whether user code is at work whose end nobody can tell: a promise that does not itself wait for this task. */
  get waitsForUser(): boolean {
    return this.phase === "new" || this.phase === "opened" || (this.waitingFor !== undefined && !this.stage.isPaused);
  }

  /** Whether the clock is to wake it. */
  get waitsForTime(): boolean {
    return this.alarm.isSet;
  }

  /** Whether its elements come from a source. */
  get readsSource(): boolean {
    return this.phase === "running" && this.head.isSource === true;
  }

  /** Whether it waits for the world outside, which nobody can tell anything of. */
  get waitsForSource(): boolean {
    return this.phase === "running" && this.head.isSource === true && this.head.waitsFor !== undefined;
  }

  /** Whether something of it waits for a checkpoint, which comes when nothing else does. */
  get waitsForCheckpoint(): boolean {
    return this.phase === "running" && this.head.awaitsCheckpoint === true;
  }

  /** What the task needs to go on, for people. */
  describeWait(): string {
    if (this.phase === "done") return "done";
    return this.phase === "closed" ? describeRoom(this.outbox) : describeWait(this.view());
  }

  counts(): TaskCounts {
    return countsOf(this.view(), this.parts.clock.now());
  }

  private view(): TaskView {
    const { inbox, outbox, stage, bundle, head, feed, inputWatermark, waitingFor, busyMs } = this;
    return { componentId: this.parts.componentId, inbox, outbox, stage, bundle, head, feed, inputWatermark, waitingFor, busyMs };
  }

  private work(): boolean {
    this.head.poll?.();
    for (;;) {
      if (this.outbox.waitsForRoom) return false; // T1: woken by room
      if (this.pacer.overtime()) return true;
      if (this.bundle.isOpen && this.bundle.isEnough) {
        if (!this.endBundle()) return false;
        if (this.head.isSource === true) return true; // T13
      } else if ((this.isAtBarrier || this.overtakes()) && this.mayFreeze()) {
        if (!this.endBundle()) return false;
        if (this.bundle.replay === undefined) this.passBarrier();
      } else if (this.bundle.replay !== undefined) {
        if (!this.giveAgain(this.bundle.replay)) return false; // T9: before anything else
      } else if (this.head.draining) {
        if (!this.ensureBundle() || !this.goesOn(this.feed.drain(), BLOCKED)) return false;
      } else if (this.feed.hasBatch) {
        if (this.head.relays === true && !this.ensureBundle()) return false;
        if (!this.goesOn(this.feed.giveBatch(), BLOCKED)) return false;
      } else if (this.timeHasCome()) {
        if (!this.endBundle()) return false; // T7
        this.head.advanceTime(this.parts.clock.now());
        if (!this.head.draining) this.publishWatermark();
      } else if (this.inbox.watermark > this.inputWatermark) {
        if (!this.endBundle()) return false; // T2
        this.inputWatermark = this.inbox.watermark;
        this.head.advance(this.inputWatermark);
        if (!this.head.draining) this.publishWatermark();
      } else if (this.takes() || ((this.isAtBarrier || this.overtakes()) && this.mayFreeze())) {
        continue;
      } else if (this.inbox.watermark === this.inputWatermark) {
        if (this.bundle.isOpen) {
          if (this.parts.remote !== undefined && (this.lingers = !this.lingers)) return true; // T15
          if (!this.endBundle()) return false;
          if (this.head.isSource === true) return true; // T13
          continue; // meanwhile something may have come
        }
        if (this.head.peers !== undefined) {
          this.head.peers.rest(this.inputWatermark === MAX_TIMESTAMP);
          this.publishWatermark(); // which follows theirs
        }
        if (this.head.wantsCheckpoint === true) this.parts.onCheckpointWanted?.();
        if (this.inputWatermark === MAX_TIMESTAMP && this.head.waitsFor === undefined) this.close();
        else if (this.isIdle()) this.outbox.sendIdle();
        this.alarm.set(Math.min(this.head.deadline, this.overtakeAt)); // T7, T12
        return false; // woken by input, or by the clock
      }
    }
  }

  /** True if there is a batch to be given. */
  private takes(): boolean {
    if (!this.feed.take()) return false;
    this.lingers = false;
    return true;
  }

  /** Whether all of its input is at the barrier of one epoch. */
  private get isAtBarrier(): boolean {
    const { inbox, parts } = this;
    if (inbox.barrier === undefined) return false;
    for (const sideInput of parts.sideInputs) if (sideInput.inbox.barrier === undefined) return false;
    return true;
  }

  /** Whether nothing of what came before the barrier is still to be processed. */
  private mayFreeze(): boolean {
    const { bundle, feed, head, inbox } = this;
    if (bundle.replay !== undefined || feed.hasBatch) return false;
    if (inbox.hasFeed) return false; // what feeds a task is processed whole, its end included
    return head.mayFreeze ?? (!head.draining && inbox.watermark === this.inputWatermark);
  }

  /** All that the task has done so far is of the epoch, or of an earlier one. */
  private atBarrier(epoch: number, lags = false): void {
    this.finalizers.passBarrier(epoch);
    this.parts.onBarrier?.(epoch, lags);
  }

  /** T10 */
  private passBarrier(): void {
    const { inbox, outbox } = this;
    const epoch = inbox.barrier!;
    this.epochAtEnd = undefined;
    this.lastEpoch = epoch;
    const lags = inbox.isOvertaking;
    this.overtakeAt = Infinity;
    const peersLag = this.head.peers?.atBarrier(epoch) === true;
    this.atBarrier(epoch, lags || peersLag);
    if (lags) this.parts.inFlight!.begin(epoch);
    outbox.sendBarrier(epoch);
    inbox.passBarrier();
    this.head.passBarrier?.();
    if (this.head.peers !== undefined) this.owner.wake(this); // what has come from behind their barriers
    this.head.poll?.();
  }

  /** T12: true, and the task is at the barrier, if it has waited for long enough. */
  private overtakes(): boolean {
    const { inbox, parts } = this;
    if (parts.inFlight === undefined || !inbox.isHeldUp) {
      this.overtakeAt = Infinity;
      return false;
    }
    const now = parts.clock.now();
    if (this.overtakeAt === Infinity) this.overtakeAt = now + parts.options.alignmentMs;
    if (now < this.overtakeAt) return false;
    inbox.overtake();
    return true;
  }

  /** Gives what is left of a failed bundle, and ends the bundle behind it. */
  private giveAgain(replay: Replay): boolean {
    if (!this.ensureBundle()) return false;
    const isGiven = replay.isDelivered && this.stage.keyed?.draining !== true;
    return isGiven ? this.endBundle() : this.goesOn(this.feed.giveAgain(replay), BLOCKED);
  }

  /** True if a bundle is open and may be fed. */
  private ensureBundle(): boolean {
    return this.bundle.isOpen || this.goesOn(this.bundle.begin(), "start of a bundle in user code");
  }

  /** True if no bundle is open any more, false if a promise has to be waited for. */
  private endBundle(): boolean {
    if (!this.bundle.isOpen) return true;
    const finished = this.bundle.finish();
    if (finished !== undefined) return this.goesOn(finished.then(this.commit), "end of a bundle in user code");
    this.commit();
    return true;
  }

  /** T9 */
  private readonly commit = (): void => {
    if (this.phase !== "running") return; // stopped meanwhile
    this.bundle.commit();
    if (this.bundle.replay === undefined) this.publishWatermark();
  };

  /** T9: what user code of the stage fails with is tried again; anything else is beyond that. */
  private failed(error: unknown, isOfStage: boolean): void {
    const isInBundle = this.bundle.isOpen || !this.stage.isOpen; // not open: it is being set up to try one again
    if (this.phase !== "running" || !isOfStage || !isInBundle || !(error instanceof UserCodeError)) return this.fail(error);
    const final = this.bundle.rollback(error);
    if (final !== undefined) return this.fail(final);
    this.owner.taskRetries?.(this, error);
    this.waitFor(this.stage.reopen(this.bundle.replay!.delayMs), "user code to be set up again after a failure");
  }

  private fail(error: unknown): void {
    if (this.phase === "stopped" || this.phase === "done") return;
    this.owner.taskFailed(this, error);
  }

  /** T3; the final watermark waits until the executor is closed (T5). */
  private publishWatermark(): void {
    if (this.head.draining && this.head.isSource !== true) return; // T6
    if (this.head.isIdle === true) return; // T8
    const watermark = Math.min(this.inputWatermark, this.head.hold());
    if (watermark === MAX_TIMESTAMP) return;
    this.outbox.sendWatermark(watermark);
    this.head.peers?.passOn();
  }

  /** T8 */
  private isIdle(): boolean {
    return this.head.isIdle ?? (this.inbox.isIdle && this.head.hold() >= this.inputWatermark);
  }

  private timeHasCome(): boolean {
    const { deadline } = this.head;
    return deadline < Infinity && deadline <= this.parts.clock.now();
  }

  private close(): void {
    this.phase = "closing";
    this.head.peers?.end();
    this.closing = this.closeWith(this.stage.close());
    this.waitFor(
      this.closing.then(() => {
        if (this.phase !== "closing") return;
        this.phase = "closed";
        this.outbox.sendWatermark(MAX_TIMESTAMP);
        if (this.epochAtEnd !== undefined) this.atBarrier(this.epochAtEnd);
      }),
      "closing of user code",
    );
  }

  /** Resolves when stage and head are closed, and callbacks have settled, or rejects when all have ended. */
  private async closeWith(stage: Promise<void>): Promise<void> {
    const ends = await Promise.allSettled([stage, this.head.close?.(), this.finalizers.settled]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  private finishIfHandedOver(): void {
    if (!this.outbox.isEmpty) return; // woken by room
    this.phase = "done";
    this.owner.taskDone(this);
  }

  /** T4: true if there is nothing to wait for. */
  private goesOn(promise: void | Promise<void>, what: string): boolean {
    if (promise === undefined) return true;
    this.waitFor(promise, what);
    return false;
  }

  /** T4 */
  private waitFor(promise: Promise<void>, what: string): void {
    this.waitingFor = what;
    if (this.stage.isPaused) this.owner.wake(this); // the wake-up of a pause may have been used up by this turn
    promise.then(
      () => {
        this.waitingFor = undefined;
        this.owner.wake(this);
      },
      (error: unknown) => {
        this.waitingFor = undefined;
        this.failed(error, true);
      },
    );
  }

  /** Whether a half of the work under way is to be split off: then the bundle ends soon, so that it can go. */
  private shares(): boolean {
    if (this.head.peers?.shouldShare() !== true) return false;
    this.bundle.endSoon();
    return true;
  }

  private letResume(): void {
    if (!this.stage.isPaused) return;
    if (this.outbox.holding && this.outbox.isFull) this.bundle.letGo();
    if (!this.outbox.isFull) this.stage.resume();
  }
}
