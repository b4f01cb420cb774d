// Framing of a link between two workers: [u32 length][u8 type][u32 channel][payload], big-endian; `length` counts what follows it.
//
// F1. Frames come out whole and in order, however the bytes were cut on their way.
// F2. A length below the header or beyond the bound ends the connection before anything is kept for it.

/** What a frame is; the numbers are those on the wire. */
export const FrameType = { HELLO: 1, DATA: 2, WATERMARK: 3, CREDIT: 4, BARRIER: 5, END: 6 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export interface Frame {
  readonly type: FrameType;
  /** Channel that it belongs to; 0 for HELLO. */
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** Bytes of length, type and channel. */
export const FRAME_HEADER_BYTES = 9;

/** Bytes that no other worker of this job has sent. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

/** Writes a header into the first {@link FRAME_HEADER_BYTES} of `target`; the payload fills the rest of it. */
export function writeFrameHeader(target: Uint8Array, type: FrameType, channel: number): void {
  const view = new DataView(target.buffer, target.byteOffset, FRAME_HEADER_BYTES);
  view.setUint32(0, target.byteLength - 4);
  view.setUint8(4, type);
  view.setUint32(5, channel);
}

/** A frame with a payload of its own. */
export function frameBytes(type: FrameType, channel: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.byteLength);
  writeFrameHeader(bytes, type, channel);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** Cuts a byte stream into frames. */
export class FrameDecoder {
  private readonly chunks: Buffer[] = [];
  private buffered = 0;

  /** @param maxFrameBytes greatest length, as on the wire, that is accepted; may be changed between frames. */
  constructor(public maxFrameBytes: number) {}

  /** Takes bytes as they come and calls `deliver` for each frame that is complete. @throws FramingError (F2). */
  push(chunk: Buffer, deliver: (frame: Frame) => void): void {
    this.chunks.push(chunk);
    this.buffered += chunk.byteLength;
    while (this.buffered >= 4) {
      const length = this.gather(4).readUInt32BE(0);
      if (length < FRAME_HEADER_BYTES - 4 || length > this.maxFrameBytes)
        throw new FramingError(`frame of ${length} bytes announced, ${this.maxFrameBytes} are allowed`);
      if (this.buffered < 4 + length) return;
      const frame = this.gather(4 + length);
      this.drop(4 + length);
      deliver(parseFrame(frame.subarray(0, 4 + length)));
    }
  }

  /** A buffer that starts with the first `count` buffered bytes: the first chunk itself if it has them. */
  private gather(count: number): Buffer {
    const first = this.chunks[0];
    if (first.byteLength >= count) return first;
    const whole = Buffer.concat(this.chunks);
    this.chunks.length = 0;
    this.chunks.push(whole);
    return whole;
  }

  private drop(count: number): void {
    this.buffered -= count;
    const first = this.chunks[0];
    if (first.byteLength === count) this.chunks.shift();
    else this.chunks[0] = first.subarray(count);
  }
}

function parseFrame(bytes: Buffer): Frame {
  const type = bytes[4];
  if (type < FrameType.HELLO || type > FrameType.END) throw new FramingError(`frame of unknown type ${type}`);
  return { type: type as FrameType, channel: bytes.readUInt32BE(5), payload: bytes.subarray(FRAME_HEADER_BYTES) };
}
