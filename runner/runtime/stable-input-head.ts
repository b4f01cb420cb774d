import { MAX_TIMESTAMP, type ElementMeta, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import { KeptBatches, type BatchKeeper, type KeptElementCoders } from "./kept-batches.js";

/** Elements that came in one epoch. */
class EpochElements {
  earliest: Timestamp = MAX_TIMESTAMP;

  constructor(
    /** Tells them from those of other epochs and tasks. */
    readonly id: string,
    readonly batch: ElementBatch,
  ) {
    for (let i = 0; i < batch.length; i++) this.earliest = Math.min(this.earliest, batch.metaAt(i).timestamp);
  }
}

/**
 * The head of a stage that requires stable input (Beam's `RequiresStableInput`): keeps what another head delivers until a checkpoint is published
 * that has it, so that what the stage does with it cannot be undone by going on from an earlier one; whenever it is done again it is with the same
 * elements.
 *
 * - I1. What came before a barrier waits for the epoch of that barrier to be published, and is emitted then.
 * - I2. It is in all snapshots until the first one after it was emitted. A run that goes on from one of these emits it at once.
 * - I3. The output watermark does not pass an element that is kept.
 */
export class StableInputHead implements HeadOperator, BatchKeeper {
  readonly process: Receiver;
  /** What came since the last barrier. */
  private batch = new ElementBatch();
  private earliest: Timestamp = MAX_TIMESTAMP;
  /** Frozen and not published, the oldest first. */
  private readonly frozen: { readonly epoch: number; readonly elements: EpochElements }[] = [];
  private readonly ready: EpochElements[] = [];
  private position = 0;
  private isOver = false;
  private readonly kept: KeptBatches;
  private readonly inner: HeadOperator;

  /**
   * @param task its name, unique in the job
   * @param innerHead makes the head that delivers the elements, given where to
   */
  constructor(
    private readonly task: string,
    private readonly stage: Receiver,
    coders: KeptElementCoders,
    innerHead: (receiver: Receiver) => HeadOperator,
  ) {
    this.kept = new KeptBatches("stable input", coders, this);
    this.inner = innerHead((value, meta) => this.keep(value, meta));
    this.process = this.inner.process;
  }

  get snapshot(): SnapshotPart {
    return this.kept;
  }

  advance(watermark: Timestamp): void {
    this.isOver = watermark === MAX_TIMESTAMP;
    this.inner.advance(watermark);
  }

  get deadline(): number {
    return this.inner.deadline;
  }

  advanceTime(now: number): void {
    this.inner.advanceTime(now);
  }

  beginDrain(): void {
    this.inner.beginDrain?.();
  }

  committed(): void {
    this.inner.committed?.();
  }

  rolledBack(): void {
    this.inner.rolledBack?.();
  }

  passBarrier(): void {
    this.inner.passBarrier?.();
  }

  get isSource(): boolean {
    return this.inner.isSource === true;
  }

  get isIdle(): boolean | undefined {
    return this.inner.isIdle === true ? this.hold() === MAX_TIMESTAMP : this.inner.isIdle;
  }

  get mayFreeze(): boolean | undefined {
    return this.ready.length > 0 ? false : this.inner.mayFreeze;
  }

  get droppedLate(): number {
    return this.inner.droppedLate;
  }

  get droppedClosed(): number {
    return this.inner.droppedClosed;
  }

  close(): Promise<void> {
    return this.inner.close?.() ?? Promise.resolve();
  }

  get draining(): boolean {
    return this.ready.length > 0 || this.inner.draining;
  }

  drain(pause: () => boolean): boolean {
    for (let elements = this.ready[0]; elements !== undefined; elements = this.ready[0]) {
      const { id, batch } = elements;
      while (this.position < batch.length) {
        if (pause()) return false;
        const at = this.position++;
        this.stage(batch.values[at], batch.metaAt(at));
      }
      this.ready.shift();
      this.position = 0;
      this.kept.remove(id); // I2
    }
    return this.inner.drain(pause);
  }

  /** I1 */
  beforeFreeze(epoch: number): void {
    if (this.batch.length === 0) return;
    const elements = new EpochElements(`${this.task}@${epoch}`, this.batch);
    this.kept.add(elements.id, elements.batch);
    this.frozen.push({ epoch, elements });
    this.batch = new ElementBatch();
    this.earliest = MAX_TIMESTAMP;
  }

  /** I1 */
  published(epoch: number): void {
    while (this.frozen.length > 0 && this.frozen[0].epoch <= epoch) this.ready.push(this.frozen.shift()!.elements);
  }

  /** I2 */
  restored(id: string, batch: ElementBatch): void {
    this.ready.push(new EpochElements(id, batch));
  }

  /** I3 */
  hold(): Timestamp {
    let hold = Math.min(this.earliest, this.inner.hold());
    for (const { elements } of this.frozen) hold = Math.min(hold, elements.earliest);
    for (const { earliest } of this.ready) hold = Math.min(hold, earliest);
    return hold;
  }

  /** At the end of input a checkpoint is all that is waited for. */
  get wantsCheckpoint(): boolean {
    return this.isOver && this.inner.waitsFor === undefined && this.batch.length > 0;
  }

  get waitsFor(): string | undefined {
    return this.inner.waitsFor ?? (this.awaitsCheckpoint ? "the next checkpoint" : undefined);
  }

  get awaitsCheckpoint(): boolean {
    return this.batch.length > 0 || this.frozen.length > 0;
  }

  private keep(value: unknown, meta: ElementMeta): void {
    this.batch.push(value, meta);
    if (meta.timestamp < this.earliest) this.earliest = meta.timestamp;
  }
}
