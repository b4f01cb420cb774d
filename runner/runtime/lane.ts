import type { ElementMeta, Timestamp } from "../../portability/values/index.js";
import type { OutputChannel } from "./channel.js";
import { ElementBatch } from "./element-batch.js";
import type { ElementSizer } from "./element-sizer.js";

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
 * - L1. A watermark leaves only after everything that was pushed before it; of several waiting ones the newest is sent.
 * - L2. A lane is *full* from the moment its batch is large enough to go and no channel has room, until it went.
 *   What is pushed meanwhile is kept.
 * - L3. With several channels a batch goes to the one with most room, one in the same process if any has room.
 */
export class Lane {
  /** Elements handed over so far. */
  sent = 0;
  private batch = new ElementBatch();
  private full = false;
  private flushWanted = false;
  private watermark: Timestamp | undefined;

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
    if (this.batch.values.length > 0 && !this.trySend()) {
      this.flushWanted = true;
      return;
    }
    this.flushWanted = false;
    this.sendWatermarkNow();
  }

  /** L1 */
  sendWatermark(watermark: Timestamp): void {
    this.watermark = watermark;
    this.flush();
  }

  /** Whether nothing is left to send. */
  get isEmpty(): boolean {
    return this.batch.values.length === 0 && this.watermark === undefined;
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

  private sendWatermarkNow(): void {
    if (this.watermark === undefined || this.batch.values.length > 0) return;
    const { watermark } = this;
    this.watermark = undefined;
    for (const channel of this.channels) channel.sendWatermark(watermark);
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
