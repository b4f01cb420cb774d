import { MIN_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";
import { RelayHead, type HeadOperator } from "./head.js";
import type { StageRunner } from "./stage-runner.js";

/**
 * A head that keeps elements, such as those that wait for a side input, in front of one with state of its own.
 *
 * - F1. Time goes no further for the second head than up to what the first one keeps: nothing is late because it had to wait.
 * - F2. What the second head has to emit goes before what the first one lets through.
 */
export class HeadInFront implements HeadOperator {
  readonly relays: boolean;
  readonly process: Receiver;
  private watermark: Timestamp = MIN_TIMESTAMP;

  /** @param first emits to `second.process` */
  constructor(
    private readonly first: HeadOperator,
    private readonly second: HeadOperator,
  ) {
    this.relays = first.relays === true;
    this.process = first.process;
  }

  advance(watermark: Timestamp): void {
    this.watermark = watermark;
    this.first.advance(watermark);
    this.advanceSecond();
  }

  get deadline(): number {
    return Math.min(this.first.deadline, this.second.deadline);
  }

  advanceTime(now: number): void {
    this.first.advanceTime(now);
    this.second.advanceTime(now);
  }

  get draining(): boolean {
    return this.first.draining || this.second.draining;
  }

  drain(pause: () => boolean): boolean {
    if (this.second.draining && !this.second.drain(pause)) return false; // F2
    if (this.first.draining && !this.first.drain(pause)) return false;
    this.advanceSecond();
    return this.second.drain(pause);
  }

  hold(): Timestamp {
    return Math.min(this.first.hold(), this.second.hold());
  }

  get droppedLate(): number {
    return this.first.droppedLate + this.second.droppedLate;
  }

  get droppedClosed(): number {
    return this.first.droppedClosed + this.second.droppedClosed;
  }

  committed(): void {
    this.first.committed?.();
    this.second.committed?.();
  }

  rolledBack(): void {
    this.first.rolledBack?.();
    this.second.rolledBack?.();
  }

  poll(): void {
    this.first.poll?.();
  }

  beginDrain(): void {
    this.first.beginDrain?.();
    this.second.beginDrain?.();
  }

  get waitsFor(): string | undefined {
    return this.first.waitsFor;
  }

  passBarrier(): void {
    this.first.passBarrier?.();
  }

  published(epoch: number): void {
    this.first.published?.(epoch);
  }

  get awaitsCheckpoint(): boolean {
    return this.first.awaitsCheckpoint === true;
  }

  get wantsCheckpoint(): boolean {
    return this.first.wantsCheckpoint === true;
  }

  /** F1 */
  private advanceSecond(): void {
    this.second.advance(Math.min(this.watermark, this.first.hold()));
  }
}

/** The head of a task: what is in front of its stage and of the stage's state, as far as there is any. */
export function headInFrontOf({ keyed, receive }: StageRunner, front: HeadOperator | undefined): HeadOperator {
  if (keyed === undefined) return front ?? new RelayHead(receive);
  return front === undefined ? keyed : new HeadInFront(front, keyed);
}
