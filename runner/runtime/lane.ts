import type { ElementMeta, Timestamp } from "../../portability/values/index.js";
import type { OutputChannel } from "./channel.js";
import { ElementBatch } from "./element-batch.js";
import type { ElementSizer } from "./element-sizer.js";
import { IDLE } from "./watermark-coalescer.js";

/** Who wants to know how lanes fare: the outbox. */
export interface LaneOwner {
  /** Whether what is pushed is kept for now (L5). */
  readonly holding: boolean;
  /** The lane has gathered this many bytes that it must not send yet. */
  laneHolds(bytes: number): void;
  laneFilled(): void;
  /** The lane is no longer full. */
  laneUnfilled(): void;
  /** Something that waited for room went. */
  roomCame(): void;
}

/**
 * A batch in the making, whole ones behind each other, and the channels they may go to: one channel, or, for a shuffle, any of several.
 *
 * - L1. A watermark leaves only after everything that was pushed before it; of several waiting ones the newest is sent. That the task is
 *   idle leaves behind its watermark, unless another watermark has followed.
 * - L2. A lane is *full* while a batch that may go finds no channel with room. What is pushed meanwhile is kept.
 * - L3. With several channels a batch goes to the one with most room, one in the same process if any has room.
 * - L4. With several channels a batch that is flushed before it is large is dealt out to all that have room: a few elements
 *   may stand for much work, such as the ranges of a file.
 * - L5. While its owner holds, nothing goes: then {@link flush} sends what has gathered, or {@link drop} drops it.
 * - L6. A barrier leaves behind everything that was pushed before it, and before anything that is pushed later; it waits for no room of its own.
 */
export class Lane {
  /** Elements handed over so far. */
  sent = 0;
  /** Their estimated bytes. */
  sentBytes = 0;
  private batch = new ElementBatch();
  /** Whole batches that have not gone, the oldest first, and the epochs that end between them. */
  private queue: (ElementBatch | number)[] = [];
  private full = false;
  private watermark: Timestamp | undefined;
  private idle = false;

  constructor(
    private readonly channels: readonly OutputChannel[],
    private readonly sizer: ElementSizer,
    private readonly batchBytes: number,
    private readonly owner: LaneOwner,
  ) {
    for (const channel of channels) channel.onRoom = () => this.roomCame();
  }

  push(value: unknown, meta: ElementMeta): void {
    const { batch } = this;
    batch.push(value, meta);
    batch.bytes += this.sizer.sizeOf(value);
    if (batch.bytes >= this.batchBytes && !this.full) this.cut();
  }

  /** Sends what there is, now or as soon as there is room. */
  flush(): void {
    this.sendQueued();
    if (this.batch.length === 0) return;
    if (this.queue.length > 0 || !this.deal()) this.queue.push(this.take());
    this.sendQueued();
  }

  /** Sends whole batches as far as there is room. */
  sendQueued(): void {
    const { queue } = this;
    let gone = 0;
    while (gone < queue.length && this.trySend(queue[gone])) gone++;
    if (gone > 0) queue.splice(0, gone);
    this.noteFull();
    this.sendWatermarkNow();
  }

  /** Forgets what has not gone; only for what was pushed while the owner held (L5). */
  drop(): void {
    this.queue = [];
    this.batch = new ElementBatch();
  }

  /** L1; or {@link IDLE}. */
  sendWatermark(watermark: Timestamp): void {
    this.idle = watermark === IDLE;
    if (!this.idle) this.watermark = watermark;
    this.flush();
  }

  /** L6; the owner does not hold. */
  sendBarrier(epoch: number): void {
    this.flush();
    this.queue.push(epoch);
    this.sendQueued();
  }

  /** Whether nothing is left to send. */
  get isEmpty(): boolean {
    return this.batch.length === 0 && this.queue.length === 0 && this.watermark === undefined && !this.idle;
  }

  get queuedBytes(): number {
    return this.queue.reduce<number>((bytes, batch) => bytes + (typeof batch === "number" ? 0 : batch.bytes), this.batch.bytes);
  }

  /** For people: where what waits for room is to go. */
  get destination(): string {
    return this.channels.map(({ to }) => to).join(" or ");
  }

  /** Whether something that may go cannot, for want of room (L2). */
  get isFull(): boolean {
    return this.full;
  }

  /** The batch is large enough. */
  private cut(): void {
    const batch = this.take();
    this.queue.push(batch);
    if (this.owner.holding) this.owner.laneHolds(batch.bytes);
    else this.sendQueued();
  }

  private take(): ElementBatch {
    const { batch } = this;
    this.batch = new ElementBatch();
    return batch;
  }

  private trySend(batch: ElementBatch | number): boolean {
    if (typeof batch === "number") {
      for (const channel of this.channels) channel.sendBarrier(batch);
      return true;
    }
    const channel = this.roomiest();
    if (channel === undefined) return false;
    this.send(batch, channel);
    return true;
  }

  private send(batch: ElementBatch, channel: OutputChannel): void {
    this.sent += batch.length;
    this.sentBytes += batch.bytes;
    channel.send(batch);
  }

  /** L4; false if nobody has room. */
  private deal(): boolean {
    const { sizer, channels } = this;
    const open = channels.length === 1 ? channels : channels.filter(({ room }) => room > 0);
    const count = Math.min(open.length, this.batch.length);
    if (count <= 1) {
      if (!this.trySend(this.batch)) return false;
      this.take();
      return true;
    }
    const batch = this.take();
    const parts = Array.from({ length: count }, () => new ElementBatch());
    for (let i = 0; i < batch.length; i++) {
      const part = parts[i % count];
      part.push(batch.values[i], batch.metaAt(i));
      part.bytes += sizer.sizeOf(batch.values[i]);
    }
    for (let i = 0; i < count; i++) this.send(parts[i], open[i]);
    return true;
  }

  private noteFull(): void {
    const full = this.queue.length > 0;
    if (full === this.full) return;
    this.full = full;
    if (full) this.owner.laneFilled();
    else this.owner.laneUnfilled();
  }

  private sendWatermarkNow(): void {
    if (this.queue.length > 0 || this.batch.length > 0) return;
    const { watermark, idle } = this;
    this.watermark = undefined;
    this.idle = false;
    if (watermark !== undefined) for (const channel of this.channels) channel.sendWatermark(watermark);
    if (idle) for (const channel of this.channels) channel.sendWatermark(IDLE);
  }

  private roomCame(): void {
    if (!this.full) return;
    const before = this.queue.length;
    this.sendQueued();
    if (this.queue.length < before) this.owner.roomCame();
  }

  /** L3 */
  private roomiest(): OutputChannel | undefined {
    const { channels } = this;
    if (channels.length === 1) return channels[0].room > 0 ? channels[0] : undefined;
    let best: OutputChannel | undefined;
    for (const channel of channels) {
      if (channel.room <= 0) continue;
      if (best === undefined || (channel.isLocal === best.isLocal ? channel.room > best.room : channel.isLocal)) best = channel;
    }
    return best;
  }
}
