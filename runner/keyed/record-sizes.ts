import { ByteWriter } from "../../portability/coders/index.js";
import type { KeyedRecord } from "./keyed-record.js";

/** What a record takes beside what is in it, and each of its timers. */
const RECORD_BYTES = 320;
const TIMER_BYTES = 120;
/** What is in it, for each byte that is written of it: it is there as objects, and once more as it was before its last change. */
const PER_BYTE = 2;

/** Of new records: one in so many is measured when it has been changed for the first time, the others when they have so often. */
const SAMPLE = 64;
/** How many of those that were measured last count for what is taken for the size of a new one, about. */
const SMOOTHING = 16;
/** A record is written once for so many bytes of it and each change: so measuring costs little, however large it is. */
const BYTES_A_CHANGE = 16;
const ROOM_KEPT = 64 << 10;

/** Estimates what records take in memory, without writing each of them. */
export class RecordSizes {
  /** By all that are in memory. */
  held = 0;
  private average = RECORD_BYTES;
  private countdown = 0;
  private writer = new ByteWriter(0);

  /** @param write writes what is in a record */
  constructor(private readonly write: (record: KeyedRecord, to: ByteWriter) => void) {}

  /** A record, which is empty, takes part. */
  add(record: KeyedRecord): void {
    record.bytes = this.average;
    record.untilSized = this.countdown-- > 0 ? SAMPLE : 0;
    if (record.untilSized === 0) this.countdown = SAMPLE;
    this.held += record.bytes;
  }

  remove(record: KeyedRecord): void {
    this.held -= record.bytes;
    record.bytes = 0;
  }

  /** Never throws: what its coder refuses fails where it is really written, and stays as it was taken for here. */
  measure(record: KeyedRecord): void {
    const { writer } = this;
    writer.reset();
    record.untilSized = SAMPLE;
    try {
      this.write(record, writer);
    } catch {
      return;
    }
    this.know(record, writer.length);
    this.average += Math.round((record.bytes - this.average) / SMOOTHING); // whole numbers, since others would be objects in each record
    if (writer.length > ROOM_KEPT) this.writer = new ByteWriter(0);
  }

  /** So many bytes are written of a record. */
  know(record: KeyedRecord, length: number): void {
    const bytes = RECORD_BYTES + length * PER_BYTE + record.pending * TIMER_BYTES;
    this.held += bytes - record.bytes;
    record.bytes = bytes;
    record.untilSized = Math.max(SAMPLE, Math.round(length / BYTES_A_CHANGE));
  }
}
