import type { Timestamp } from "../../portability/values/index.js";
import type { Barrier } from "./barrier.js";
import type { BatchCodec } from "./batch-codec.js";
import { OutputChannel } from "./channel.js";
import type { ElementBatch } from "./element-batch.js";
import { FRAME_HEADER_BYTES } from "./frame-decoder.js";
import type { EncodedBatch, Inbox } from "./inbox.js";
import type { Link } from "./link.js";

/** The sending end of a channel to a task of another worker. Costs are the bytes of the frames, not the estimate. */
export class RemoteChannel extends OutputChannel {
  override readonly isLocal = false;

  constructor(
    private readonly id: number,
    private readonly link: Link,
    private readonly codec: BatchCodec,
    credits: number,
    /** Told when a batch cannot be encoded: nobody who could handle it is on the stack. */
    private readonly onError: (error: unknown) => void,
    to = "",
  ) {
    super(credits, to);
  }

  override get room(): number {
    return this.link.congested ? 0 : this.credits;
  }

  protected override handOver(batch: ElementBatch): void {
    try {
      this.codec.encode(batch, this.id, this.sendFrame);
    } catch (error) {
      this.onError(error);
    }
  }

  protected override handOverWatermark(watermark: Timestamp): void {
    this.link.sendWatermark(this.id, watermark);
  }

  protected override handOverBarrier(barrier: Barrier): void {
    this.link.sendBarrier(this.id, barrier);
  }

  private readonly sendFrame = (frame: Uint8Array): void => {
    this.credits -= frame.byteLength;
    this.link.sendData(frame);
  };
}

/**
 * The receiving end: what comes over the link goes into the inbox still encoded, and is decoded in the task's own turn.
 *
 * Credits go back in one frame for several batches: as soon as half of them are owed or nothing more is queued.
 */
export class RemotePort {
  private readonly port: number;
  private owed = 0;
  private queued = 0;

  constructor(
    private readonly id: number,
    private readonly link: Link,
    private readonly inbox: Inbox,
    private readonly codec: BatchCodec,
    private readonly credits: number,
    from = "",
  ) {
    this.port = inbox.addPort((bytes) => this.returnCredits(bytes), from);
  }

  data(payload: Uint8Array): void {
    this.queued++;
    const batch: EncodedBatch = { bytes: payload.byteLength + FRAME_HEADER_BYTES, decode: () => this.codec.decode(payload) };
    this.inbox.receive(this.port, batch);
  }

  watermark(watermark: Timestamp): void {
    this.inbox.receiveWatermark(this.port, watermark);
  }

  barrier(barrier: Barrier): void {
    this.inbox.receiveBarrier(this.port, barrier);
  }

  private returnCredits(bytes: number): void {
    this.owed += bytes;
    this.queued--;
    if (this.queued > 0 && this.owed * 2 < this.credits) return;
    this.link.sendCredit(this.id, this.owed);
    this.owed = 0;
  }
}
