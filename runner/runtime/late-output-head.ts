import type { ElementMeta, Receiver, Timestamp } from "../../portability/values/index.js";
import { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";

/**
 * The head of a grouping whose late elements go to an output of their own. They wait for a bundle there, like groups, and go out before
 * anything else is taken in, or the watermark moves.
 */
export class LateOutputHead implements HeadOperator {
  readonly process: Receiver;
  private readonly grouping: HeadOperator;
  private waiting = new ElementBatch();
  private position = 0;

  /** @param groupingHead makes the grouping; it is given the receiver for what comes too late. */
  constructor(
    private readonly output: Receiver,
    groupingHead: (late: Receiver) => HeadOperator,
  ) {
    this.grouping = groupingHead((value, meta: ElementMeta) => this.waiting.push(value, meta));
    this.process = this.grouping.process;
  }

  advance(watermark: Timestamp): void {
    this.grouping.advance(watermark);
  }

  get deadline(): number {
    return this.grouping.deadline;
  }

  advanceTime(now: number): void {
    this.grouping.advanceTime(now);
  }

  get draining(): boolean {
    return this.waiting.length > 0 || this.grouping.draining;
  }

  drain(pause: () => boolean): boolean {
    const { waiting } = this;
    while (this.position < waiting.length) {
      if (pause()) return false;
      const at = this.position++;
      this.output(waiting.values[at], waiting.metaAt(at));
    }
    if (waiting.length > 0) this.waiting = new ElementBatch();
    this.position = 0;
    return this.grouping.drain(pause);
  }

  beginDrain(): void {
    this.grouping.beginDrain?.();
  }

  committed(): void {
    this.grouping.committed?.();
  }

  hold(): Timestamp {
    return this.grouping.hold();
  }

  get droppedLate(): number {
    return this.grouping.droppedLate;
  }

  get droppedClosed(): number {
    return this.grouping.droppedClosed;
  }
}
