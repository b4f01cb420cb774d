import "./buffer-slices.js";
import type { Timestamp } from "../values/index.js";
import { exactMillis } from "./instants.js";

/** Strings up to this many characters are written by a loop, which beats a call into the runtime. */
const SHORT_STRING = 24;

/** A growing buffer that coders write to. Reused: `reset` keeps its memory. */
export class ByteWriter {
  private buffer: Buffer;
  /** Bytes written so far. */
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** What was written, as a view that the next write may change. */
  view(from = 0): Uint8Array {
    return this.buffer.subarray(from, this.length);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.length));
  }

  writeByte(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  /** A varint of a safe integer; negative numbers are taken modulo 2^64 and need ten bytes. */
  writeVarint(value: number): void {
    if (value < 0) return this.writeVarintBig(BigInt(value));
    this.reserve(10);
    const { buffer } = this;
    let at = this.length;
    while (value > 0x7fffffff) {
      buffer[at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    while (value > 0x7f) {
      buffer[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    buffer[at++] = value;
    this.length = at;
  }

  /** A varint of a signed 64-bit integer. */
  writeVarintBig(value: bigint): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  /** Four bytes, two's complement, big-endian. */
  writeInt32(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeInt32BE(value, this.length);
  }

  /** Eight bytes, two's complement, big-endian. */
  writeInt64(value: bigint): void {
    this.reserve(8);
    this.length = this.buffer.writeBigInt64BE(value, this.length);
  }

  /** An instant: eight bytes big-endian of the milliseconds with the sign bit flipped. */
  writeInstant(timestamp: Timestamp): void {
    this.reserve(8);
    if (!Number.isSafeInteger(timestamp)) return this.writeInstantMillis(exactMillis(timestamp));
    const high = Math.floor(timestamp / 0x1_0000_0000);
    this.buffer.writeUInt32BE((high ^ 0x80000000) >>> 0, this.length);
    this.buffer.writeUInt32BE(timestamp - high * 0x1_0000_0000, this.length + 4);
    this.length += 8;
  }

  /** The same, of exact milliseconds. */
  writeInstantMillis(millis: bigint): void {
    this.reserve(8);
    this.length = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, millis ^ (1n << 63n)), this.length);
  }

  writeDouble(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleBE(value, this.length);
  }

  writeFloat(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeFloatBE(value, this.length);
  }

  writeBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** UTF-8 without a length. Lone surrogates become U+FFFD. */
  writeText(text: string): void {
    this.reserve(text.length * 3);
    if (text.length <= SHORT_STRING && this.writeAscii(text)) return;
    this.length += this.buffer.utf8Write(text, this.length);
  }

  /** A varint length in bytes, then UTF-8. */
  writeUtf8(text: string): void {
    this.reserve(text.length * 3 + 5);
    if (text.length <= SHORT_STRING) {
      const start = this.length;
      this.buffer[this.length++] = text.length;
      if (this.writeAscii(text)) return;
      this.length = start;
    }
    this.writeVarint(Buffer.byteLength(text));
    this.length += this.buffer.utf8Write(text, this.length);
  }

  /** Runs `write` and puts the varint length of what it wrote in front of it. */
  writeLengthPrefixed(write: () => void): void {
    const start = this.length;
    this.writeByte(0);
    write();
    const size = this.length - start - 1;
    if (size < 0x80) {
      this.buffer[start] = size;
      return;
    }
    const extra = varintBytes(size) - 1;
    this.reserve(extra);
    this.buffer.copyWithin(start + 1 + extra, start + 1, this.length);
    const end = this.length + extra;
    this.length = start;
    this.writeVarint(size);
    this.length = end;
  }

  private writeAscii(text: string): boolean {
    const { buffer } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.length = at;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
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
