// Segments: what a run consists of. [u32 hash][u32 key bytes][u32 values][u32 value bytes][key][values], big-endian.
//
// G1. Segments of a run are in order of hash, then of the key's bytes. A key with many values has several, one behind the other.
// G2. A segment's values are cut where they exceed SEGMENT_BYTES, so that reading one is cheap whatever the size of its group.
import type { RunFile } from "./run-file.js";

const HEADER_BYTES = 16;
export const SEGMENT_BYTES = 256 << 10;
/** Bytes read ahead of a cursor. */
const WINDOW_BYTES = 256 << 10;

/** Where the values of a segment are. */
export interface Segment {
  readonly file: RunFile;
  readonly position: number;
  readonly bytes: number;
  readonly count: number;
}

export function appendSegment(file: RunFile, hash: number, key: Uint8Array, count: number, values: Uint8Array): void {
  const header = Buffer.allocUnsafe(HEADER_BYTES + key.byteLength);
  header.writeUInt32BE(hash, 0);
  header.writeUInt32BE(key.byteLength, 4);
  header.writeUInt32BE(count, 8);
  header.writeUInt32BE(values.byteLength, 12);
  header.set(key, HEADER_BYTES);
  file.append(header);
  file.append(values);
}

/** Goes through the segments of a run, reading ahead so that small ones cost no call each. */
export class SegmentCursor {
  hash = 0;
  key: Buffer = Buffer.alloc(0);
  segment: Segment;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;
  private next: number;

  /** @param position where it starts; {@link advance} moves it to the first segment */
  constructor(
    private readonly file: RunFile,
    position = 0,
  ) {
    this.next = position;
    this.segment = { file, position, bytes: 0, count: 0 };
  }

  /** Moves on; false at the end of the run. */
  advance(): boolean {
    if (this.next >= this.file.length) return false;
    const header = this.bytes(this.next, HEADER_BYTES);
    this.hash = header.readUInt32BE(0);
    const keyBytes = header.readUInt32BE(4);
    const count = header.readUInt32BE(8);
    const bytes = header.readUInt32BE(12);
    this.key = this.bytes(this.next + HEADER_BYTES, keyBytes);
    const position = this.next + HEADER_BYTES + keyBytes;
    this.segment = { file: this.file, position, bytes, count };
    this.next = position + bytes;
    return true;
  }

  /** The values' bytes of the segment that the cursor is at. */
  values(): Buffer {
    return this.bytes(this.segment.position, this.segment.bytes);
  }

  private bytes(position: number, length: number): Buffer {
    const at = position - this.windowStart;
    if (at >= 0 && at + length <= this.window.byteLength) return this.window.subarray(at, at + length);
    this.window = this.file.read(position, Math.max(length, WINDOW_BYTES)); // a new one each time: views of the last may be in use
    this.windowStart = position;
    return this.window.subarray(0, length);
  }
}

/** The order of G1. */
export function compareCursors(a: SegmentCursor, b: SegmentCursor): number {
  return a.hash - b.hash || Buffer.compare(a.key, b.key);
}

export function isSameKey(a: SegmentCursor, hash: number, key: Buffer): boolean {
  return a.hash === hash && a.key.equals(key);
}
