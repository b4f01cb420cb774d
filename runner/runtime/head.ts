import { MAX_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";

/**
 * What stands between a task's inbox and its stage. A head that groups takes elements in and emits later, a bit at a time;
 * any other passes them on. {@link GroupByKey} is one.
 */
export interface HeadOperator {
  readonly process: Receiver;
  /** True if what is processed may reach the stage at once: a bundle is open whenever {@link process} is called. */
  readonly relays?: boolean;
  /** The input watermark has moved. */
  advance(watermark: Timestamp): void;
  /** The processing time at which {@link advanceTime} has something to do; Infinity if never as things are. */
  readonly deadline: number;
  /** Processing time has moved to the deadline, or beyond it. */
  advanceTime(now: number): void;
  /** Whether {@link drain} has something to emit; nothing is processed while it has. */
  readonly draining: boolean;
  /** Emits into the stage until `pause` says so (false) or nothing is left (true). */
  drain(pause: () => boolean): boolean;
  /** What {@link drain} waits for, where it has not emitted what it could: user code that is asked something. */
  blocked?(): Promise<void> | undefined;
  /** The output watermark may not pass this. */
  hold(): Timestamp;
  /** Elements dropped because their window had expired. */
  readonly droppedLate: number;
  /** Elements dropped because the trigger of their window had finished. */
  readonly droppedClosed: number;
  /** The bundle is over, and all that it has done final. */
  committed?(): void;
  /** The bundle has failed: takes back what it has done. The elements of the bundle will be processed again. */
  rolledBack?(): void;
  /** Looks at what has come besides the main input; called at the start of a turn, while no user code is waited for. */
  poll?(): void;
  /** For people: what has to come besides the main input before the task may end; undefined if it may. */
  readonly waitsFor?: string;
  /** True if it reads from outside: it may always have something, and need not ever. */
  readonly isSource?: boolean;
  /** For one that may always have something to emit: whether all that it has taken in so far has been emitted, or is in its snapshot. */
  readonly mayFreeze?: boolean;
  /** The task goes on behind a barrier. */
  passBarrier?(): void;
  /** Whether something that it keeps waits for a checkpoint. */
  readonly awaitsCheckpoint?: boolean;
  /** Whether it waits for nothing else: then one should be taken soon. */
  readonly wantsCheckpoint?: boolean;
  /** A checkpoint is published, with all that the head had when it was frozen for it. */
  published?(epoch: number): void;
  /** For a source: it has had nothing for as long as it says, and nobody is to wait for its watermark. */
  readonly isIdle?: boolean;
  /**
   * The job is drained from now on: a source takes nothing more from outside, and comes to its end when what it has taken is processed; what would
   * begin anew for ever ends. Called once at most, at any time, between turns.
   */
  beginDrain?(): void;
  readonly peers?: PeerSide | undefined;
  /** Lets go of what it has outside of the process; called once, after {@link drain} for the last time. */
  close?(): Promise<void>;
}

/** What a head has to do with the other tasks of its component. */
export interface PeerSide {
  /** Looks at what they have said; at the start of each turn, also while user code is waited for. */
  hear(): void;
  /** The task has nothing to do. @param isInputOver whether nothing comes but from them */
  rest(isInputOver: boolean): void;
  /** The task's watermark has been sent. */
  passOn(): void;
  /** Whether a part of the work under way is wanted: asked where it can be split, true once a bundle at most. */
  shouldShare(): boolean;
  /** The task has been frozen for the epoch; true if more of it may come from them. */
  atBarrier(epoch: number): boolean;
  /** Whether more of that epoch may come. */
  readonly isLagging: boolean;
  /** The task ends. */
  end(): void;
}

/** A head that keeps nothing: what it processes goes to the stage at once, in the same bundle. */
export class RelayHead implements HeadOperator {
  readonly relays = true;
  readonly draining = false;
  readonly droppedLate = 0;
  readonly droppedClosed = 0;
  readonly deadline = Infinity;

  constructor(readonly process: Receiver) {}

  advance(): void {}

  advanceTime(): void {}

  drain(): boolean {
    return true;
  }

  hold(): Timestamp {
    return MAX_TIMESTAMP;
  }
}
