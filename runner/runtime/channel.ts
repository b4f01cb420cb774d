// Channels: one from a task to a task, for one stream. Data and watermarks travel in band and in order.
//
// C1. A batch costs credits and may be sent while any credit is left, so that one larger than all credits still passes.
// C2. Credits come back when the receiving task has taken the batch, not when it has arrived.
// C3. A watermark costs nothing: a channel holds at most two (an instant, and that it is idle) behind each batch; and so does a barrier, of which
//     there is one at a time.
// C4. Whatever has been lost on the way is noticed: by the count in the next barrier, or in the one that comes before the watermark at the end.
import { MAX_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import { Barrier } from "./barrier.js";
import type { ElementBatch } from "./element-batch.js";
import type { Inbox } from "./inbox.js";

/** The tasks at both ends of a channel, for people. */
export interface ChannelEnds {
  readonly from: string;
  readonly to: string;
}

/** The sending end. */
export abstract class OutputChannel {
  /** Told whenever there may be room again. */
  onRoom: () => void = noop;
  /** Elements sent so far. */
  private elements = 0;
  /** Of the last barrier. */
  private epoch = 0;

  /**
   * @param credits bytes that may be under way at once
   * @param to the receiving task, for people
   */
  constructor(
    protected credits: number,
    readonly to = "",
  ) {}

  /** Whether the receiver lives in the same process. */
  abstract readonly isLocal: boolean;

  /** Bytes that may still be sent; no room at zero or below. */
  get room(): number {
    return this.credits;
  }

  /** Hands over a batch; the caller has seen that there is room (C1) and lets go of it. */
  send(batch: ElementBatch): void {
    this.elements += batch.length;
    this.handOver(batch);
  }

  /** C3, C4 */
  sendWatermark(watermark: Timestamp): void {
    if (watermark === MAX_TIMESTAMP) this.handOverBarrier(new Barrier(this.epoch, this.elements, true));
    this.handOverWatermark(watermark);
  }

  /** Ends an epoch behind everything that was sent (C3). */
  sendBarrier(epoch: number): void {
    this.epoch = epoch;
    this.handOverBarrier(new Barrier(epoch, this.elements));
  }

  protected abstract handOver(batch: ElementBatch): void;

  protected abstract handOverWatermark(watermark: Timestamp): void;

  protected abstract handOverBarrier(barrier: Barrier): void;

  /** Bytes came back (C2). */
  addCredits(bytes: number): void {
    const hadRoom = this.room > 0;
    this.credits += bytes;
    if (!hadRoom && this.room > 0) this.onRoom();
  }
}

/** Hands batches over by reference. */
export class LocalChannel extends OutputChannel {
  override readonly isLocal = true;
  private readonly port: number;

  constructor(
    private readonly inbox: Inbox,
    credits: number,
    ends: ChannelEnds = { from: "", to: "" },
  ) {
    super(credits, ends.to);
    this.port = inbox.addPort((bytes) => this.addCredits(bytes), ends.from);
  }

  protected override handOver(batch: ElementBatch): void {
    this.credits -= batch.bytes;
    this.inbox.receive(this.port, batch);
  }

  protected override handOverBarrier(barrier: Barrier): void {
    this.inbox.receiveBarrier(this.port, barrier);
  }

  protected override handOverWatermark(watermark: Timestamp): void {
    this.inbox.receiveWatermark(this.port, watermark);
  }
}

function noop(): void {}
