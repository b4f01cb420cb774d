// Records on disk, for as long as a worker lives: appended, read at any place, given up again.
//
// G1. What is appended goes to the last of some files, the segments; of a record that changes another one is appended. So disks only ever write in order.
// G2. A segment of which nothing is in use any more goes at once.
// G3. Of all bytes in segments, but for the last one, half are in use or more: what is still in use in the segment with the least of it is appended
//     again, a bit for each bit that is appended otherwise, so that nobody has to wait for it.
// G4. Nothing is kept in memory but a few numbers a segment, and what is about to be written.
// G5. Records can also be where others have written them, in files that do not change: those in use in such a file are a segment, too, which is given
//     up like others. They are as their writer has written them, and are translated when they are read.
import { ByteWriter } from "../../portability/coders/index.js";
import { BorrowedRecords } from "./borrowed-records.js";
import type { RunFile } from "./run-file.js";
import { SpillError, type SpillFolder } from "./spill-folder.js";

/** Where a record is: a positive integer below 2^32. */
export type Address = number;

/** Records begin at multiples of so many bytes, so that 32 bits are enough to tell where. */
const UNIT = 16;
/** A segment is full when it has so many bytes; a job has at most a thousand of them for each task. */
const SEGMENT_BYTES = 64 << 20;
const ADDRESSES = 2 ** 32;
/** Bytes gathered before they are written. */
const WRITE_BYTES = 256 << 10;
/** Bytes that are read at once where it is not known how many a record has. */
const READ_BYTES = 512;
/** Bytes that are read at once where records are read one behind the other. */
const BLOCK_BYTES = 256 << 10;
/** Of each record: how many bytes follow. */
const LENGTH_BYTES = 4;
/** How many bytes are looked at to move what is in use of them, for each byte that is appended. */
const MOVE_RATE = 3;

/** One file of a log. */
interface Segment {
  readonly file: RunFile;
  readonly slot: number;
  length: number;
  /** Bytes in use. */
  liveBytes: number;
  /** Records in use. */
  live: number;
  /** Up to where {@link RecordLog.cut} has come. */
  cutAt: number;
  isReleased: boolean;
  /** G5 */
  readonly borrowed: BorrowedRecords | undefined;
}

/** G5: a record as it would have been appended, of what its writer has written and the number that {@link RecordLog.borrow} was given. */
export type TranslateRecord = (written: Uint8Array, number: number, to: ByteWriter) => void;

/** What goes through the records of a segment one by one. */
interface Walk {
  readonly segment: Segment;
  /** Bytes so far. */
  readonly at: number;
  readonly address: Address;
  readonly record: Buffer;
  next(): boolean;
}

/** Takes a record that would be lost otherwise: it is to be appended again if it is in use. */
export type MoveRecord = (address: Address, record: Uint8Array) => void;

export class RecordLog {
  private readonly segments: (Segment | undefined)[] = [];
  /** The segment that is appended to. */
  private tail: Segment | undefined;
  /** The end of {@link tail}, which is not written yet. */
  private readonly writer = new ByteWriter(WRITE_BYTES + READ_BYTES);
  private start = 0;
  private scratch = Buffer.allocUnsafeSlow(READ_BYTES);
  private readonly units: number;
  /** Bytes appended so far. */
  appendedBytes = 0;
  /** G3: the segment that is being given up. */
  private moving: Walk | undefined;
  /** G5: segments that take more records, by the path of their files. */
  private readonly lenders = new Map<string, Segment | undefined>();
  private lender: Segment | undefined;
  private translated = new ByteWriter(READ_BYTES);

  /** @param translate what is borrowed */
  constructor(
    private readonly folder: SpillFolder,
    private readonly segmentBytes = SEGMENT_BYTES,
    private readonly translate: TranslateRecord = (written, _number, to) => to.writeBytes(written),
  ) {
    this.units = segmentBytes / UNIT;
  }

  /** Bytes on disk, or about to be there. */
  get bytes(): number {
    let bytes = 0;
    for (const segment of this.segments) if (segment !== undefined) bytes += segment.length;
    return bytes;
  }

  /** Starts a record: write it, then call {@link end}, or {@link cancel}. @throws SpillError */
  begin(): ByteWriter {
    const { writer } = this;
    if (writer.length >= WRITE_BYTES) this.flush();
    if (this.tail === undefined || this.tail.length >= this.segmentBytes) this.openSegment();
    this.start = writer.length;
    writer.writeInt32(0);
    return writer;
  }

  /** The record is written, and in use. Its bytes are readable at once. */
  end(): Address {
    const { writer, start } = this;
    const tail = this.tail!;
    setInt32(writer.view(start), writer.length - start - LENGTH_BYTES);
    while (writer.length % UNIT !== 0) writer.writeByte(0);
    const at = tail.length;
    const bytes = writer.length - start;
    this.appendedBytes += bytes;
    tail.length += bytes;
    tail.liveBytes += bytes;
    tail.live++;
    return tail.slot * this.units + at / UNIT + 1;
  }

  isBorrowed(address: Address): boolean {
    return this.segmentOf(address).borrowed !== undefined;
  }

  /** Of what was appended nothing is in use any more. */
  discard(): void {
    this.writer.reset();
    if (this.tail !== undefined) this.close(this.tail);
    this.tail = undefined;
  }

  /** The record that was begun is not to be. */
  cancel(): void {
    this.writer.length = this.start;
  }

  /**
   * G5: a record that is in use where it is. Undefined if it cannot be: then it is to be appended.
   *
   * @param number for its translation
   * @throws SpillError if there are too many records
   */
  borrow(path: string, at: number, bytes: number, number: number): Address | undefined {
    let segment = this.lender;
    if (segment?.borrowed!.file.path !== path) this.lender = segment = this.lenders.get(path);
    if (segment === undefined || segment.isReleased || segment.borrowed!.count === this.units || !segment.borrowed!.reaches(at)) {
      const file = this.folder.borrow(path);
      if (file === undefined) return undefined;
      this.lender = segment = this.addSegment(file, new BorrowedRecords(file, at));
      this.lenders.set(path, segment);
    }
    segment.length += bytes;
    segment.cutAt = segment.length;
    segment.liveBytes += bytes;
    segment.live++;
    return segment.slot * this.units + segment.borrowed!.add(at, bytes, number) + 1;
  }

  /** A record, in memory that is written over by the next call. @throws SpillError */
  read(address: Address): Buffer {
    const segment = this.segmentOf(address);
    if (segment.borrowed !== undefined) return this.readBorrowed(segment.borrowed, this.indexOf(address));
    const at = this.offsetOf(address);
    const flushed = segment.file.length;
    if (at >= flushed) {
      const view = this.writer.view(at - flushed);
      const end = LENGTH_BYTES + getInt32(view);
      this.scratchOf(end).set(view.subarray(0, end));
      return this.scratch.subarray(LENGTH_BYTES, end);
    }
    const count = segment.file.readInto(this.scratch, at, READ_BYTES);
    const end = LENGTH_BYTES + getInt32(this.scratch);
    if (end > count) segment.file.readInto(this.scratchOf(end), at, end);
    return this.scratch.subarray(LENGTH_BYTES, end);
  }

  /** A record is not in use any more. @param bytes how many {@link read} has told of it; without it, it is taken for one of average size */
  release(address: Address, bytes?: number): void {
    const segment = this.segmentOf(address);
    if (segment.borrowed !== undefined) segment.liveBytes -= segment.borrowed.bytesOf(this.indexOf(address));
    else segment.liveBytes -= bytes === undefined ? segment.liveBytes / segment.live : paddedBytes(bytes);
    segment.live--;
    if (segment.live === 0 && segment !== this.tail) this.close(segment); // G2
  }

  /** G3: after so many bytes were appended. @throws SpillError */
  tidy(appendedBytes: number, move: MoveRecord): void {
    for (let left = appendedBytes * MOVE_RATE; left > 0;) {
      if (this.moving === undefined || this.moving.segment.isReleased) this.moving = this.worst();
      const { moving } = this;
      if (moving === undefined) return;
      const from = moving.at;
      if (!moving.next()) {
        this.close(moving.segment);
        this.moving = undefined;
        continue;
      }
      const bytes = moving.at - from;
      left -= bytes;
      move(moving.address, moving.record);
    }
  }

  /** What was appended since the last cut, and is still there: cursors over it. @throws SpillError */
  cut(): LogCursor[] {
    this.flush();
    const cursors: LogCursor[] = [];
    for (const segment of this.segments) {
      if (segment === undefined || segment.cutAt === segment.length) continue;
      cursors.push(this.cursor(segment, segment.cutAt));
      segment.cutAt = segment.length;
    }
    return cursors;
  }

  /** Whether a cursor will still come to a record. */
  isAhead(cursor: LogCursor, address: Address): boolean {
    const at = this.offsetOf(address);
    return cursor.segment === this.segmentOf(address) && at >= cursor.at && at < cursor.end;
  }

  private cursor(segment: Segment, from: number): LogCursor {
    return new LogCursor(segment, from, segment.length, segment.slot * this.units + 1);
  }

  /** G3 */
  private worst(): Walk | undefined {
    let worst: Segment | undefined;
    let bytes = 0;
    let liveBytes = 0;
    for (const segment of this.segments) {
      if (segment === undefined || segment === this.tail) continue;
      bytes += segment.length;
      liveBytes += segment.liveBytes;
      if (worst === undefined || segment.liveBytes / segment.length < worst.liveBytes / worst.length) worst = segment;
    }
    if (worst === undefined || liveBytes * 2 >= bytes) return undefined;
    return worst.borrowed === undefined
      ? this.cursor(worst, 0)
      : new BorrowedCursor(worst, worst.slot * this.units + 1, (index) => this.readBorrowed(worst.borrowed!, index));
  }

  private readBorrowed(borrowed: BorrowedRecords, index: number): Buffer {
    const { translated } = this;
    const bytes = borrowed.bytesOf(index);
    const written = this.scratchOf(bytes);
    borrowed.readInto(written, index);
    translated.reset();
    this.translate(written.subarray(0, bytes), borrowed.numberOf(index), translated);
    const { buffer, byteOffset } = translated.view();
    if (translated.capacity > BLOCK_BYTES) this.translated = new ByteWriter(READ_BYTES); // does not keep the room of a huge one
    return Buffer.from(buffer, byteOffset, translated.length);
  }

  private scratchOf(bytes: number): Buffer {
    const { length } = this.scratch;
    if (length < bytes || length > BLOCK_BYTES) this.scratch = Buffer.allocUnsafeSlow(Math.max(bytes, READ_BYTES)); // does not keep the room of a huge one
    return this.scratch;
  }

  private openSegment(): void {
    const { tail } = this;
    this.flush();
    this.tail = this.addSegment(this.folder.newFile());
    if (tail?.live === 0) this.close(tail);
  }

  private addSegment(file: RunFile, borrowed?: BorrowedRecords): Segment {
    const { segments } = this;
    const free = segments.findIndex((segment) => segment === undefined);
    const slot = free < 0 ? segments.length : free;
    if ((slot + 1) * this.units >= ADDRESSES)
      throw new SpillError(`a task has more than ${(ADDRESSES * UNIT) / 2 ** 30} GiB of state; give it more parallelism`);
    return (segments[slot] = { file, slot, length: 0, liveBytes: 0, live: 0, cutAt: 0, isReleased: false, borrowed });
  }

  private flush(): void {
    if (this.writer.length === 0) return;
    this.tail!.file.write(this.writer.view());
    this.writer.reset();
  }

  private close(segment: Segment): void {
    segment.isReleased = true;
    this.segments[segment.slot] = undefined;
    if (segment.borrowed !== undefined) return this.folder.giveBack(segment.file);
    this.folder.release(segment.file);
    segment.file.close();
  }

  private segmentOf(address: Address): Segment {
    return this.segments[Math.floor((address - 1) / this.units)]!;
  }

  private offsetOf(address: Address): number {
    return this.indexOf(address) * UNIT;
  }

  private indexOf(address: Address): number {
    return (address - 1) % this.units;
  }
}

/** Reads the records of a segment that are written, one behind the other. */
export class LogCursor {
  /** The record that was read last, in memory that is written over by the next one. */
  record: Buffer = Buffer.alloc(0);
  address: Address = 0;
  private block: Buffer = Buffer.alloc(0);
  private blockAt = 0;

  constructor(
    readonly segment: Segment,
    /** Where the next record begins. */
    public at: number,
    readonly end: number,
    private readonly base: Address,
  ) {}

  /** False behind the last one, or if the segment is gone. @throws SpillError */
  next(): boolean {
    if (this.at >= this.end || this.segment.isReleased) return false;
    this.have(LENGTH_BYTES);
    const length = getInt32(this.block, this.at - this.blockAt);
    this.have(LENGTH_BYTES + length);
    const start = this.at - this.blockAt + LENGTH_BYTES;
    this.record = this.block.subarray(start, start + length);
    this.address = this.base + this.at / UNIT;
    this.at += paddedBytes(length);
    return true;
  }

  private have(bytes: number): void {
    if (this.at - this.blockAt + bytes <= this.block.length) return;
    this.block = this.segment.file.read(this.at, Math.max(bytes, BLOCK_BYTES));
    this.blockAt = this.at;
  }
}

/** The same for one whose records are borrowed (G5). */
class BorrowedCursor implements Walk {
  at = 0;
  private index = -1;

  constructor(
    readonly segment: Segment,
    private readonly first: Address,
    private readonly read: (index: number) => Buffer,
  ) {}

  get address(): Address {
    return this.first + this.index;
  }

  get record(): Buffer {
    return this.read(this.index);
  }

  next(): boolean {
    const borrowed = this.segment.borrowed!;
    if (this.segment.isReleased || this.index + 1 >= borrowed.count) return false;
    this.at += borrowed.bytesOf(++this.index);
    return true;
  }
}

/** Of a record of so many bytes: what it takes. */
function paddedBytes(length: number): number {
  return Math.ceil((length + LENGTH_BYTES) / UNIT) * UNIT;
}

function setInt32(bytes: Uint8Array, value: number): void {
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
}

function getInt32(bytes: Uint8Array, at = 0): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
