import type { ElementMeta, Timestamp } from "../../portability/values/index.js";
import type { OutputChannel } from "./channel.js";
import { ElementBatch } from "./element-batch.js";
import type { ElementSizer } from "./element-sizer.js";
import { IDLE } from "./watermark-coalescer.js";

/** Who wants to know how lanes fare: the outbox. */
export interface LaneOwner {
  laneFilled(): void;
  /** The lane is no longer full. */
  laneUnfilled(): void;
  /** Something that waited for room went. */
  roomCame(): void;
}

/**
 * A batch in the making and the channels it may go to: one channel, or, for a shuffle, any of several.
 *
 * - L1. A watermark leaves only after everything that was pushed before it; of several waiting ones the newest is sent. That the task is
 *   idle leaves behind its watermark, unless another watermark has followed.
 * - L2. A lane is *full* from the moment its batch is large enough to go and no channel has room, until it went.
 *   What is pushed meanwhile is kept.
 * - L3. With several channels a batch goes to the one with most room, one in the same process if any has room.
 * - L4. With several channels a batch that is flushed before it is large is dealt out to all that have room: a few elements
 *   may stand for much work, such as the ranges of a file.
 */
export class Lane {
  /** Elements handed over so far. */
  sent = 0;
  private batch = new ElementBatch();
  private full = false;
  private flushWanted = false;
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
    if (batch.bytes >= this.batchBytes && !this.full) this.overflow();
  }

  /** Sends what there is, now or as soon as there is room. */
  flush(): void {
    if (this.full) return; // goes as soon as it can anyway
    if (this.batch.values.length > 0 && !this.deal()) {
      this.flushWanted = true;
      return;
    }
    this.flushWanted = false;
    this.sendWatermarkNow();
  }

  /** L1; or {@link IDLE}. */
  sendWatermark(watermark: Timestamp): void {
    this.idle = watermark === IDLE;
    if (!this.idle) this.watermark = watermark;
    this.flush();
  }

  /** Whether nothing is left to send. */
  get isEmpty(): boolean {
    return this.batch.values.length === 0 && this.watermark === undefined && !this.idle;
  }

  get queuedBytes(): number {
    return this.batch.bytes;
  }

  private overflow(): void {
    if (this.trySend()) {
      this.flushWanted = false;
      this.sendWatermarkNow();
      return;
    }
    this.full = true;
    this.owner.laneFilled();
  }

  private trySend(): boolean {
    const channel = this.roomiest();
    if (channel === undefined) return false;
    const { batch } = this;
    this.batch = new ElementBatch();
    this.sent += batch.values.length;
    channel.send(batch);
    return true;
  }

  /** L4 */
  private deal(): boolean {
    const { batch, sizer } = this;
    const open = this.channels.length === 1 ? this.channels : this.channels.filter(({ room }) => room > 0);
    const count = Math.min(open.length, batch.length);
    if (count <= 1) return this.trySend();
    this.batch = new ElementBatch();
    this.sent += batch.length;
    const parts = Array.from({ length: count }, () => new ElementBatch());
    for (let i = 0; i < batch.length; i++) {
      const part = parts[i % count];
      part.push(batch.values[i], batch.metaAt(i));
      part.bytes += sizer.sizeOf(batch.values[i]);
    }
    for (let i = 0; i < count; i++) open[i].send(parts[i]);
    return true;
  }

  private sendWatermarkNow(): void {
    if (this.batch.values.length > 0) return;
    const { watermark, idle } = this;
    this.watermark = undefined;
    this.idle = false;
    if (watermark !== undefined) for (const channel of this.channels) channel.sendWatermark(watermark);
    if (idle) for (const channel of this.channels) channel.sendWatermark(IDLE);
  }

  private roomCame(): void {
    if (this.batch.values.length > 0 && (this.full || this.flushWanted)) {
      if (!this.trySend()) return;
      this.flushWanted = false;
      if (this.full) {
        this.full = false;
        this.owner.laneUnfilled();
      }
    }
    this.sendWatermarkNow();
    this.owner.roomCame();
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
