// Channels: one from a task to a task, for one stream. Data and watermarks travel in band and in order.
//
// C1. A batch costs credits and may be sent while any credit is left, so that one larger than all credits still passes.
// C2. Credits come back when the receiving task has taken the batch, not when it has arrived.
// C3. A watermark costs nothing: a channel holds at most two (an instant, and that it is idle) behind each batch.
import type { Timestamp } from "../../portability/values/index.js";
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
  abstract send(batch: ElementBatch): void;

  abstract sendWatermark(watermark: Timestamp): void;

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

  override send(batch: ElementBatch): void {
    this.credits -= batch.bytes;
    this.inbox.receive(this.port, batch);
  }

  override sendWatermark(watermark: Timestamp): void {
    this.inbox.receiveWatermark(this.port, watermark);
  }
}

function noop(): void {}
