import type { ByteReader, ByteWriter, WindowedValueCoder } from "../../portability/coders/index.js";
import type { KeptResidual } from "./residuals.js";

const TRUNCATED = 1;
const PACED = 2;

/** A residual as bytes, without its id: in snapshots, and on its way to another task. */
export class ResidualCodec {
  constructor(private readonly coder: WindowedValueCoder<unknown>) {}

  encode({ value, meta, dueAt, watermark, isTruncated, isPaced }: Omit<KeptResidual, "id">, to: ByteWriter): void {
    to.writeDouble(dueAt);
    to.writeDouble(watermark);
    to.writeByte((isTruncated ? TRUNCATED : 0) | (isPaced ? PACED : 0));
    this.coder.encodeParts(value, meta, to, false);
  }

  decode(from: ByteReader): Omit<KeptResidual, "id"> {
    const dueAt = from.readDouble();
    const watermark = from.readDouble();
    const flags = from.readByte();
    const { value, meta } = this.coder.decode(from, false);
    return { value, meta, dueAt, watermark, isTruncated: (flags & TRUNCATED) !== 0, isPaced: (flags & PACED) !== 0 };
  }
}
