import type { Socket } from "node:net";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../portability/values/index.js";
import { Barrier } from "./barrier.js";
import { FrameType, frameBytes, FramingError, type Frame, type FrameDecoder } from "./frame-decoder.js";
import { IDLE } from "./watermark-coalescer.js";

/** What a link's owner hears: inbound data by channel number, and credits for outbound channels. */
export interface LinkListener {
  data(channel: number, payload: Uint8Array): void;
  watermark(channel: number, watermark: number): void;
  credit(channel: number, bytes: number): void;
  barrier(channel: number, barrier: Barrier): void;
  /** The socket can take more after it had enough. */
  drained(): void;
  /** The link is gone; not told after {@link Link.close}. */
  lost(error: Error): void;
}

/** Another worker cannot be reached any more. */
export class LinkLostError extends Error {
  override readonly name = "LinkLostError";
}

/** Greatest frame a link sends or takes. An element larger than this cannot cross processes. */
export const MAX_FRAME_BYTES = 64 << 20;

/**
 * One connection between two workers, which carries all channels between them in both directions. The greeting is over
 * when a link exists (greeting.ts).
 *
 * - N1. Frames of a channel arrive in the order of sending: there is one socket and nothing overtakes.
 * - N2. Writes of one turn of the event loop leave together (cork), so that small frames share a packet.
 * - N3. While the socket's buffer is full {@link congested} is true; senders keep their batches then.
 * - N4. Anything that the protocol does not know ends the link; what went wrong is told once.
 */
export class Link {
  congested = false;
  /** Frames of either direction: what is under way is what one end has sent and the other has not received. */
  framesSent = 0;
  framesReceived = 0;
  private corked = false;
  private closed = false;
  private listener: LinkListener | undefined;
  /** Frames that came before anybody listened. */
  private early: Frame[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly decoder: FrameDecoder,
    /** Who is at the other end, for messages. */
    private readonly peer: string,
  ) {
    decoder.maxFrameBytes = MAX_FRAME_BYTES;
    socket.on("data", (chunk: Buffer) => this.received(chunk));
    socket.on("drain", () => {
      this.congested = false;
      this.listener?.drained();
    });
    socket.on("error", (error) => this.lose(error));
    socket.on("close", () => this.lose(new Error("connection closed")));
  }

  /** Frames that came before are delivered now. */
  listen(listener: LinkListener): void {
    this.listener = listener;
    const early = this.early;
    this.early = [];
    for (const frame of early) this.deliver(frame);
  }

  private received(chunk: Buffer): void {
    if (this.closed) return;
    try {
      this.decoder.push(chunk, this.deliver);
    } catch (error) {
      this.lose(error as Error); // N4
    }
  }

  /** Sends a data frame, header included; the link owns it from now on. */
  sendData(frame: Uint8Array): void {
    this.write(frame);
  }

  sendWatermark(channel: number, watermark: number): void {
    this.write(frameBytes(FrameType.WATERMARK, channel, numberBytes(watermark)));
  }

  sendBarrier(channel: number, { epoch, elements, isEnd }: Barrier): void {
    this.write(frameBytes(isEnd ? FrameType.END : FrameType.BARRIER, channel, Buffer.concat([numberBytes(epoch), numberBytes(elements)])));
  }

  sendCredit(channel: number, bytes: number): void {
    this.write(frameBytes(FrameType.CREDIT, channel, numberBytes(bytes)));
  }

  /** Ends the connection; what was written before still goes out. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroySoon();
  }

  private write(bytes: Uint8Array): void {
    if (this.closed) return;
    this.framesSent++;
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      setImmediate(this.uncork); // N2
    }
    if (!this.socket.write(bytes)) this.congested = true; // N3
  }

  private readonly uncork = (): void => {
    this.corked = false;
    this.socket.uncork();
  };

  /** Takes a frame; only the greeting calls this from outside. */
  readonly deliver = (frame: Frame): void => {
    const { listener } = this;
    if (listener === undefined) {
      this.early.push(frame);
      return;
    }
    this.framesReceived++;
    switch (frame.type) {
      case FrameType.DATA:
        return listener.data(frame.channel, frame.payload);
      case FrameType.WATERMARK:
        return listener.watermark(frame.channel, watermarkOf(frame));
      case FrameType.CREDIT:
        return listener.credit(frame.channel, numberOf(frame));
      case FrameType.BARRIER:
      case FrameType.END:
        return listener.barrier(frame.channel, barrierOf(frame));
      case FrameType.HELLO:
        throw new FramingError("a second greeting");
    }
  };

  /** Ends the link for a reason that its owner is told. */
  lose(cause: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    this.listener?.lost(new LinkLostError(`connection to ${this.peer} lost: ${cause.message}`, { cause }));
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

function watermarkOf(frame: Frame): number {
  const watermark = numberOf(frame);
  if (watermark !== IDLE && !(watermark >= MIN_TIMESTAMP && watermark <= MAX_TIMESTAMP))
    throw new FramingError(`${watermark} where a watermark is due`);
  return watermark;
}

function barrierOf(frame: Frame): Barrier {
  const epoch = numberOf({ ...frame, payload: frame.payload.subarray(0, 8) });
  const elements = numberOf({ ...frame, payload: frame.payload.subarray(8) });
  const isEnd = frame.type === FrameType.END;
  if (!(Number.isSafeInteger(epoch) && epoch >= (isEnd ? 0 : 1) && Number.isSafeInteger(elements) && elements >= 0))
    throw new FramingError(`a barrier of epoch ${epoch} behind ${elements} elements`);
  return new Barrier(epoch, elements, isEnd);
}

function numberOf({ payload }: Frame): number {
  if (payload.byteLength !== 8) throw new FramingError(`payload of ${payload.byteLength} bytes where 8 are due`);
  const value = new DataView(payload.buffer, payload.byteOffset, 8).getFloat64(0);
  if (Number.isNaN(value)) throw new FramingError("not a number");
  return value;
}
