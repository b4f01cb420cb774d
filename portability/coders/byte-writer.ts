// The output of coders: a growing buffer with one method per building block of Beam's layouts.
//
// Nothing is allocated per call. `reset` keeps the memory, so a writer that lives as long as its owner costs nothing per element.
import "./buffer-slices.js";
import type { Timestamp } from "../values/index.js";
import { exactMillis } from "./instants.js";

/** Strings up to this many characters are written by a loop, which beats a call into the runtime. */
const SHORT_STRING = 24;
/** Byte arrays up to this length are copied by a loop, for the same reason. */
const SHORT_BYTES = 32;

/**
 * The output of coders: a buffer that grows.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * varintCoder.encode(300, writer, true);
 * console.log(writer.toBytes());
 * ```
 */
export class ByteWriter {
  private buffer: Buffer;
  /** Bytes written so far. */
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacity, 16));
  }

  /** Bytes that it has memory for. @internal */
  get capacity(): number {
    return this.buffer.length;
  }

  /** Forgets what was written, and keeps the memory. */
  reset(): void {
    this.length = 0;
  }

  /** What was written since `from`, as a view that the next write may change. */
  view(from = 0): Uint8Array {
    return this.buffer.subarray(from, this.length);
  }

  /** A copy of what was written since `from`. */
  toBytes(from = 0): Uint8Array {
    return Uint8Array.prototype.slice.call(this.buffer, from, this.length);
  }

  writeByte(byte: number): void {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = byte;
  }

  /** A varint of a safe integer, 1 to 8 bytes; negative numbers are taken modulo 2^64 and need ten. */
  writeVarint(value: number): void {
    this.reserve(10);
    const { buffer } = this;
    let at = this.length;
    if (value >= 0 && value < 0x80) {
      buffer[at] = value;
      this.length = at + 1;
      return;
    }
    let rest = value;
    if (rest < 0) {
      const high = Math.floor(rest / 0x1_0000_0000);
      this.writeVarintBits(high, (rest - high * 0x1_0000_0000) | 0);
      return;
    }
    if (rest > 0x7fffffff) {
      // Four bytes of seven bits leave an integer of 32 bits.
      const high = Math.floor(rest / 0x1000_0000);
      const low = rest - high * 0x1000_0000;
      buffer[at] = low | 0x80;
      buffer[at + 1] = (low >>> 7) | 0x80;
      buffer[at + 2] = (low >>> 14) | 0x80;
      buffer[at + 3] = (low >>> 21) | 0x80;
      at += 4;
      rest = high;
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.length = at;
  }

  /** A varint of a 64-bit integer, taken modulo 2^64: 1 to 10 bytes. */
  writeVarintBig(value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return this.writeVarint(number);
    this.reserve(10);
    this.writeVarintBits(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  }

  /** Two bytes, the low ones of `value`, big-endian. */
  writeInt16(value: number): void {
    this.reserve(2);
    this.buffer[this.length++] = value >>> 8;
    this.buffer[this.length++] = value;
  }

  /** Four bytes, the low ones of `value`, big-endian. */
  writeInt32(value: number): void {
    this.reserve(4);
    this.put32(value);
  }

  /** Eight bytes, two's complement, big-endian. */
  writeInt64(value: bigint): void {
    this.reserve(8);
    this.length = this.buffer.writeBigInt64BE(BigInt.asIntN(64, value), this.length);
  }

  /**
   * An instant: eight bytes big-endian of the milliseconds with the sign bit flipped.
   *
   * Fractions are cut, and instants beyond Beam's range are taken as its ends.
   * @throws CoderError for NaN
   */
  writeInstant(timestamp: Timestamp): void {
    this.reserve(8);
    if (!Number.isSafeInteger(timestamp)) {
      this.length = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, exactMillis(timestamp) ^ (1n << 63n)), this.length);
      return;
    }
    const high = Math.floor(timestamp / 0x1_0000_0000);
    this.put32(high ^ 0x80000000);
    this.put32((timestamp - high * 0x1_0000_0000) | 0);
  }

  /** Eight bytes IEEE 754, big-endian. */
  writeDouble(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleBE(value, this.length);
  }

  /** Four bytes IEEE 754, big-endian, rounded to the nearest. */
  writeFloat(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeFloatBE(value, this.length);
  }

  /** The bytes alone, without a length. */
  writeBytes(bytes: Uint8Array): void {
    const size = bytes.length;
    this.reserve(size);
    if (size <= SHORT_BYTES) {
      const { buffer, length } = this;
      for (let i = 0; i < size; i++) buffer[length + i] = bytes[i];
    } else this.buffer.set(bytes, this.length);
    this.length += size;
  }

  /** The bytes `[from, to)` of some, without a view of them. @internal */
  writeSlice(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from;
    this.reserve(size);
    if (size <= SHORT_BYTES) {
      const { buffer, length } = this;
      for (let i = 0; i < size; i++) buffer[length + i] = bytes[from + i];
    } else if (Buffer.isBuffer(bytes)) bytes.copy(this.buffer, this.length, from, to);
    else this.buffer.set(bytes.subarray(from, to), this.length);
    this.length += size;
  }

  /** One byte a character, each of which is below 256. */
  writeLatin1(text: string): void {
    const size = text.length;
    this.reserve(size);
    const { buffer, length } = this;
    if (size <= SHORT_BYTES) for (let i = 0; i < size; i++) buffer[length + i] = text.charCodeAt(i);
    else buffer.latin1Write(text, length);
    this.length = length + size;
  }

  /** UTF-8 without a length. Lone surrogates become U+FFFD. */
  writeText(text: string): void {
    this.reserve(text.length * 3);
    if (text.length <= SHORT_STRING && this.putAscii(text, this.length)) return;
    this.length += this.buffer.utf8Write(text, this.length);
  }

  /** A varint length in bytes, then UTF-8. Lone surrogates become U+FFFD. */
  writeUtf8(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 10); // also what writeVarint() reserves, so that it does not move what is behind the end
    const start = this.length;
    if (length <= SHORT_STRING && this.putAscii(text, start + 1)) {
      this.buffer[start] = length;
      return;
    }
    // Written as if it were ASCII, and moved when its length turns out to need a longer varint.
    const expected = varintBytes(length);
    const size = this.buffer.utf8Write(text, start + expected);
    const actual = varintBytes(size);
    if (actual !== expected) this.buffer.copyWithin(start + actual, start + expected, start + expected + size);
    this.writeVarint(size);
    this.length += size;
  }

  /** One byte, then the text, if it is short and ASCII; otherwise writes nothing and says no. */
  writeShortAscii(head: number, text: string): boolean {
    if (text.length > SHORT_STRING) return false;
    this.reserve(SHORT_STRING + 1);
    const start = this.length;
    if (!this.putAscii(text, start + 1)) return false;
    this.buffer[start] = head;
    return true;
  }

  /** Opens a region that will be preceded by its varint length; give the result to {@link endLengthPrefixed}. */
  beginLengthPrefixed(): number {
    this.writeByte(0);
    return this.length;
  }

  /** Closes the region that began at `start`: what was written since is moved only if it is longer than 127 bytes. */
  endLengthPrefixed(start: number): void {
    const size = this.length - start;
    if (size < 0x80) {
      this.buffer[start - 1] = size;
      return;
    }
    const extra = varintBytes(size) - 1;
    this.reserve(extra + 10);
    this.buffer.copyWithin(start + extra, start, this.length);
    const end = this.length + extra;
    this.length = start - 1;
    this.writeVarint(size);
    this.length = end;
  }

  private put32(value: number): void {
    const { buffer, length } = this;
    buffer[length] = value >>> 24;
    buffer[length + 1] = value >>> 16;
    buffer[length + 2] = value >>> 8;
    buffer[length + 3] = value;
    this.length = length + 4;
  }

  /** A varint of the two halves of a 64-bit integer. */
  private writeVarintBits(high: number, low: number): void {
    const { buffer } = this;
    let at = this.length;
    while (high !== 0 || low >>> 0 > 0x7f) {
      buffer[at++] = (low & 0x7f) | 0x80;
      low = (low >>> 7) | (high << 25);
      high >>>= 7;
    }
    buffer[at++] = low;
    this.length = at;
  }

  /** Writes text at `start` and moves the end behind it; or does neither, when a character is not ASCII. */
  private putAscii(text: string, start: number): boolean {
    const { buffer } = this;
    const { length } = text;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[start + i] = code;
    }
    this.length = start + length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes > this.buffer.length) this.grow(bytes);
  }

  private grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
