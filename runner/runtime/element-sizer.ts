// Estimates how many bytes elements of a stream take, without encoding each of them.
//
// Strings and byte arrays are measured; of anything else one element in 1024 is encoded (the first ones more often), and
// the others are taken to be as large as the moving average of those. So flow control by bytes costs a few nanoseconds an element.
import { ByteWriter } from "../../portability/coders/index.js";
import type { Coder } from "../../portability/coders/coder.js";

/** Bytes beside the value: timestamp, windows, pane, references. */
const OVERHEAD_BYTES = 24;
const SAMPLE_EVERY = 1024;

export class ElementSizer {
  private average = 64;
  private untilSample = 0;
  private stride = 1;
  private writer: ByteWriter | undefined;

  /** @param coder of the elements; without one, or where it fails, values other than strings count as 64 bytes. */
  constructor(private readonly coder?: () => Coder<unknown>) {}

  /** Estimated bytes of an element. Never throws. */
  sizeOf(value: unknown): number {
    if (typeof value === "string") return value.length + OVERHEAD_BYTES;
    if (value instanceof Uint8Array) return value.length + OVERHEAD_BYTES;
    if (this.untilSample-- <= 0) this.sample(value);
    return this.average;
  }

  private sample(value: unknown): void {
    this.untilSample = this.stride - 1;
    const first = this.stride === 1;
    this.stride = Math.min(this.stride * 2, SAMPLE_EVERY);
    if (this.coder === undefined) return;
    const writer = (this.writer ??= new ByteWriter());
    try {
      writer.reset();
      this.coder().encode(value, writer, true);
      const size = writer.length + OVERHEAD_BYTES;
      this.average = first ? size : Math.ceil(this.average * 0.75 + size * 0.25);
    } catch {
      // A value that its coder refuses fails where it is really encoded, with its transform; here the last average stands.
    }
    if (writer.length > 65_536) this.writer = undefined; // do not keep the room of one huge element
  }
}
