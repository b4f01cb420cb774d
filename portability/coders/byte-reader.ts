// The input of coders. Every read is checked against the end, so corrupt bytes give a CoderError with the offset.
//
// R1. Nothing is allocated for a length or count before that many bytes are known to be there.
// R2. After a CoderError a reader is of no further use: it may stand anywhere.
import "./buffer-slices.js";
import type { Timestamp } from "../values/index.js";
import { CoderError } from "./coder-error.js";
import { timestampOf } from "./instants.js";
import { SHORT_STRING, shortString } from "./short-strings.js";

/** Most elements without any bytes (global windows) that an input may claim: nothing in it pays for the memory that they take. @internal */
export const MAX_EMPTY_ELEMENTS = 1 << 20;

/** Byte arrays up to this length are copied by a loop, which beats a call into the runtime. */
const SHORT_BYTES = 32;

/**
 * The input of coders: bytes, and where the next value begins.
 *
 * @example
 * ```ts
 * const value = varintCoder.decode(new ByteReader(new Uint8Array([172, 2])), true);
 * ```
 */
export class ByteReader {
  private buffer: Buffer;
  /** Where the next read begins. */
  offset: number;
  private limit: number;
  // Halves of the last long varint: signed and unsigned.
  private high = 0;
  private low = 0;
  /** Elements without bytes that were read. */
  private empties = 0;

  /** Reads `bytes[offset, end)`; offsets in errors count from the start of `bytes`. */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.buffer = bufferOf(bytes);
    this.offset = offset;
    this.limit = Math.min(end, bytes.length);
  }

  /** Starts over with other bytes. */
  reset(bytes: Uint8Array, offset = 0, end = bytes.length): void {
    this.buffer = bufferOf(bytes);
    this.offset = offset;
    this.limit = Math.min(end, bytes.length);
    this.empties = 0;
  }

  /** Offset behind the last byte. */
  get end(): number {
    return this.limit;
  }

  get remaining(): number {
    return this.limit - this.offset;
  }

  /** @throws CoderError with the current offset */
  fail(message: string): never {
    throw new CoderError(message, this.offset);
  }

  readByte(): number {
    if (this.offset >= this.limit) this.fail("unexpected end of input");
    return this.buffer[this.offset++];
  }

  /**
   * A varint of a signed 64-bit integer, at most ten bytes, as a number.
   * @throws CoderError for an integer beyond the safe ones
   */
  readVarint(): number {
    const { buffer, limit } = this;
    const start = this.offset;
    if (start >= limit) this.fail("unexpected end of input in a varint");
    const first = buffer[start];
    if (first < 0x80) {
      this.offset = start + 1;
      return first;
    }
    let value = first & 0x7f;
    let scale = 128;
    const end = Math.min(start + 7, limit);
    for (let at = start + 1; at < end; at++) {
      const byte = buffer[at];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.offset = at + 1;
        return value;
      }
      scale *= 128;
    }
    return this.readLongVarint();
  }

  /** A varint of a signed 64-bit integer, at most ten bytes. */
  readVarintBig(): bigint {
    this.readVarintBits();
    const value = this.high * 0x1_0000_0000 + this.low;
    return Number.isSafeInteger(value) ? BigInt(value) : this.bits();
  }

  /** The low 32 bits of a varint, as a signed integer: an INT32, which Go writes sign-extended. */
  readVarint32(): number {
    this.readVarintBits();
    return this.low | 0;
  }

  /** A varint that counts bytes which must follow. */
  readLength(): number {
    const length = this.readVarint();
    if (length < 0 || length > this.limit - this.offset) this.fail(`length ${length} is beyond the end of the input`);
    return length;
  }

  readInt16(): number {
    this.need(2);
    const value = this.buffer.readInt16BE(this.offset);
    this.offset += 2;
    return value;
  }

  readInt32(): number {
    this.need(4);
    return this.take32();
  }

  readInt64(): bigint {
    this.need(8);
    const value = this.buffer.readBigInt64BE(this.offset);
    this.offset += 8;
    return value;
  }

  /** An instant: eight bytes big-endian of the milliseconds with the sign bit flipped. Beam's extremes give their constants. */
  readInstant(): Timestamp {
    this.need(8);
    const high = this.take32() ^ 0x80000000;
    const low = this.take32() >>> 0;
    const millis = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(millis) ? millis : timestampOf((BigInt(high) << 32n) | BigInt(low));
  }

  readDouble(): number {
    this.need(8);
    const value = this.buffer.readDoubleBE(this.offset);
    this.offset += 8;
    return value;
  }

  readFloat(): number {
    this.need(4);
    const value = this.buffer.readFloatBE(this.offset);
    this.offset += 4;
    return value;
  }

  /** A copy of the next `length` bytes: a Uint8Array, never a Buffer. */
  readBytes(length: number): Uint8Array {
    this.need(length);
    const start = this.offset;
    this.offset = start + length;
    const copy = new Uint8Array(length);
    const { buffer } = this;
    if (length > SHORT_BYTES) copy.set(buffer.subarray(start, this.offset));
    else for (let i = 0; i < length; i++) copy[i] = buffer[start + i];
    return copy;
  }

  /** The next `length` bytes as UTF-8; what is invalid becomes U+FFFD. */
  readText(length: number): string {
    this.need(length);
    const start = this.offset;
    const end = start + length;
    this.offset = end;
    return length > SHORT_STRING ? this.buffer.utf8Slice(start, end) : shortString(this.buffer, start, end);
  }

  /** The next `length` bytes as a string of one character each. */
  readLatin1(length: number): string {
    this.need(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.latin1Slice(start, this.offset);
  }

  /** The next `length` bytes, which are those of the input: what it was read from stays in memory with them. */
  readView(length: number): Uint8Array {
    this.need(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.subarray(start, this.offset);
  }

  skip(length: number): void {
    this.need(length);
    this.offset += length;
  }

  /** Whether `bytes` come next; if so, skips them. */
  skipIfEqual(bytes: Uint8Array): boolean {
    const { buffer, offset } = this;
    const { length } = bytes;
    if (length > this.limit - offset) return false;
    for (let i = length - 1; i >= 0; i--) if (buffer[offset + i] !== bytes[i]) return false;
    this.offset = offset + length;
    return true;
  }

  /** Makes the input end after the next `length` bytes, until {@link endRegion} gets what this returned. */
  beginRegion(length: number): number {
    this.need(length);
    const outer = this.limit;
    this.limit = this.offset + length;
    return outer;
  }

  /** @throws CoderError unless all of the region has been read */
  endRegion(outer: number): void {
    if (this.offset !== this.limit) this.fail(`${this.remaining} bytes are left over`);
    this.limit = outer;
  }

  /** Counts an element that took no bytes. @throws CoderError for more of them than the bytes read so far can justify */
  countEmptyElement(): void {
    if (++this.empties - this.offset > MAX_EMPTY_ELEMENTS) this.fail(`more than ${MAX_EMPTY_ELEMENTS} elements without bytes`);
  }

  private need(bytes: number): void {
    if (!(bytes >= 0 && bytes <= this.limit - this.offset))
      this.fail(`unexpected end of input: ${bytes} bytes needed, ${this.remaining} left`);
  }

  private take32(): number {
    const { buffer, offset } = this;
    this.offset = offset + 4;
    return (buffer[offset] << 24) | (buffer[offset + 1] << 16) | (buffer[offset + 2] << 8) | buffer[offset + 3];
  }

  /** A varint of more than seven bytes, or one that is cut off. */
  private readLongVarint(): number {
    this.readVarintBits();
    const value = this.high * 0x1_0000_0000 + this.low;
    if (!Number.isSafeInteger(value)) this.fail(`integer ${this.bits()} is beyond what a number holds exactly; use varintBigIntCoder`);
    return value;
  }

  /** Reads a varint of at most ten bytes and 64 bits into `high` and `low`. */
  private readVarintBits(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.readByte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else {
        if (byte > 1) this.fail("a varint of more than 64 bits");
        high |= bits << 31;
      }
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high;
        return;
      }
    }
    this.fail("a varint of more than ten bytes");
  }

  private bits(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
