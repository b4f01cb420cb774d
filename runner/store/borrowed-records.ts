import type { RunFile } from "./run-file.js";

/** Ranges that there is room for at first. */
const LEAST = 1024;
/** Where a range begins, how many bytes it has, and its owner's number. */
const FIELDS = 3;
/** A range begins so close behind {@link BorrowedRecords.base} that 32 bits tell where. */
const REACH = 2 ** 32;

/** Ranges of a file that is somebody else's, each of which is a record: twelve bytes of memory for each. */
export class BorrowedRecords {
  count = 0;
  private ranges = new Uint32Array(LEAST * FIELDS);

  constructor(
    readonly file: RunFile,
    private readonly base: number,
  ) {}

  /** Whether a range that begins there can be added. */
  reaches(at: number): boolean {
    return at >= this.base && at < this.base + REACH;
  }

  /** @param number whatever its owner has to know of the record; 32 bits. @returns how many were there before */
  add(at: number, bytes: number, number: number): number {
    const i = this.count * FIELDS;
    if (i === this.ranges.length) {
      const { ranges } = this;
      this.ranges = new Uint32Array(ranges.length * 2);
      this.ranges.set(ranges);
    }
    this.ranges[i] = at - this.base;
    this.ranges[i + 1] = bytes;
    this.ranges[i + 2] = number;
    return this.count++;
  }

  bytesOf(index: number): number {
    return this.ranges[index * FIELDS + 1];
  }

  numberOf(index: number): number {
    return this.ranges[index * FIELDS + 2];
  }

  /** @param target has room for it. @throws SpillError */
  readInto(target: Uint8Array, index: number): void {
    this.file.readInto(target, this.base + this.ranges[index * FIELDS], this.bytesOf(index));
  }
}
