import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader, ByteWriter, WindowedValueCoder } from "../../portability/coders/index.js";
import type { Window } from "../../portability/values/index.js";
import { ElementBatch } from "./element-batch.js";
import { FRAME_HEADER_BYTES, FrameType, writeFrameHeader } from "./frame-decoder.js";

/** A frame is closed once it has this many bytes: large enough for full speed, small enough to share a socket fairly. */
const FRAME_BYTES = 48 << 10;

/** An element that cannot travel between processes because it is too large. */
export class OversizedElementError extends Error {
  override readonly name = "OversizedElementError";
}

/** Batches of one stream as bytes: windowed values, one behind the other, nested. */
export class BatchCodec {
  private readonly coder: WindowedValueCoder<unknown>;
  private writer = new ByteWriter();

  constructor(
    element: Coder<unknown>,
    window: Coder<Window>,
    private readonly maxFrameBytes: number,
  ) {
    this.coder = new WindowedValueCoder(element, window);
  }

  /** Cuts a batch into data frames for a channel; `send` owns each. @throws CoderError, OversizedElementError */
  encode(batch: ElementBatch, channel: number, send: (frame: Uint8Array) => void): void {
    const { writer, coder } = this;
    const { values, length } = batch;
    writer.reset();
    for (let i = 0; i < length; i++) {
      coder.encodeParts(values[i], batch.metaAt(i), writer);
      if (writer.length >= FRAME_BYTES) this.sendFrame(channel, send);
    }
    if (writer.length > 0) this.sendFrame(channel, send);
  }

  /** Reads what one frame carries. @throws CoderError */
  decode(payload: Uint8Array): ElementBatch {
    const batch = new ElementBatch();
    const reader = new ByteReader(payload);
    while (reader.remaining > 0) {
      const { value, meta } = this.coder.decode(reader, true);
      batch.push(value, meta);
    }
    batch.bytes = payload.byteLength;
    return batch;
  }

  private sendFrame(channel: number, send: (frame: Uint8Array) => void): void {
    const payload = this.writer.view();
    const size = FRAME_HEADER_BYTES + payload.byteLength;
    if (size - 4 > this.maxFrameBytes)
      throw new OversizedElementError(
        `an element takes ${payload.byteLength} bytes; at most ${this.maxFrameBytes} can cross between workers`,
      );
    const frame = Buffer.allocUnsafe(size);
    writeFrameHeader(frame, FrameType.DATA, channel);
    frame.set(payload, FRAME_HEADER_BYTES);
    if (payload.byteLength > FRAME_BYTES * 4) this.writer = new ByteWriter();
    else this.writer.reset();
    send(frame);
  }
}
