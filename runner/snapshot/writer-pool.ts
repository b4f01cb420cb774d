import { ByteWriter } from "../../portability/coders/index.js";

/** Memory that is kept for the next snapshot, in all. */
const KEPT_BYTES = 32 << 20;
/** A writer that has become larger is not kept. */
const MOST_BYTES = 512 << 10;

/** Writers of sections, used by one snapshot after the other: new memory costs more than writing to it, and has the garbage collector run. */
export class WriterPool {
  private readonly free: ByteWriter[] = [];
  private freeBytes = 0;

  /** An empty one. */
  take(): ByteWriter {
    const writer = this.free.pop();
    if (writer === undefined) return new ByteWriter();
    this.freeBytes -= writer.capacity;
    return writer;
  }

  /** It is not used any more. */
  giveBack(writer: ByteWriter): void {
    const { capacity } = writer;
    if (capacity > MOST_BYTES || this.freeBytes + capacity > KEPT_BYTES) return;
    writer.reset();
    this.freeBytes += capacity;
    this.free.push(writer);
  }
}
