import { MAX_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";

/**
 * What stands between a task's inbox and its stage. A head that groups takes elements in and emits later, a bit at a time;
 * any other passes them on. {@link GroupByKey} is one.
 */
export interface HeadOperator {
  readonly process: Receiver;
  /** The input watermark has moved. */
  advance(watermark: Timestamp): void;
  /** Whether {@link drain} has something to emit; nothing is processed while it has. */
  readonly draining: boolean;
  /** Emits into the stage until `pause` says so (false) or nothing is left (true). */
  drain(pause: () => boolean): boolean;
  /** The output watermark may not pass this. */
  hold(): Timestamp;
  readonly droppedLate: number;
}

/** A head that keeps nothing: what it processes goes to the stage at once, in the same bundle. */
export class RelayHead implements HeadOperator {
  readonly draining = false;
  readonly droppedLate = 0;

  constructor(readonly process: Receiver) {}

  advance(): void {}

  drain(): boolean {
    return true;
  }

  hold(): Timestamp {
    return MAX_TIMESTAMP;
  }
}
