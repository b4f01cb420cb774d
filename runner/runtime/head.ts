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
  /** For a source: it has had nothing for as long as it says, and nobody is to wait for its watermark. */
  readonly isIdle?: boolean;
  /** Lets go of what it has outside of the process; called once, after {@link drain} for the last time. */
  close?(): Promise<void>;
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
