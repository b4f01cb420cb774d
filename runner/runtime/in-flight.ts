import type { SnapshotPart } from "../snapshot/index.js";
import { ElementBatch } from "./element-batch.js";
import { KeptBatches, type BatchKeeper, type KeptElementCoders } from "./kept-batches.js";

/**
 * The elements of an epoch that a task took when it had been frozen for that epoch already: of channels whose barrier it did not wait for
 * (Inbox I6). They are part of the snapshot, and come first in a run that goes on from it.
 */
export class InFlight implements BatchKeeper {
  private readonly kept: KeptBatches;
  private epoch = 0;
  private batch = new ElementBatch();
  /** Those of earlier snapshots, of which the next one says that they are gone. */
  private ids: string[] = [];

  /**
   * @param task its name, unique in the job
   * @param feed takes elements that come first
   */
  constructor(
    private readonly task: string,
    coders: KeptElementCoders,
    private readonly feed: (batch: ElementBatch) => void,
  ) {
    this.kept = new KeptBatches("in flight", coders, this);
  }

  get snapshot(): SnapshotPart {
    return this.kept;
  }

  /** What is recorded from now on belongs to the epoch, for which the task has been frozen. */
  begin(epoch: number): void {
    this.epoch = epoch;
    this.batch = new ElementBatch();
  }

  record(batch: ElementBatch): void {
    for (let i = 0; i < batch.length; i++) this.batch.push(batch.values[i], batch.metaAt(i));
  }

  /** All barriers have come: the snapshot is frozen once more, for what was recorded. */
  end(): void {
    if (this.batch.length === 0) return;
    const id = `${this.task}@${this.epoch}`;
    this.kept.add(id, this.batch);
    this.ids.push(id);
    this.batch = new ElementBatch();
  }

  beforeFreeze(epoch: number): void {
    if (epoch === this.epoch) return; // the second time
    for (const id of this.ids.splice(0)) this.kept.remove(id);
  }

  restored(id: string, batch: ElementBatch): void {
    this.ids.push(id);
    this.feed(batch);
  }
}
