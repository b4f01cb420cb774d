import "./buffer-slices.js";
import { isAscii } from "node:buffer";
import type { Timestamp } from "../values/index.js";
import { timestampOf } from "./instants.js";
import { CoderError } from "./coder-error.js";

/** Reads what a {@link ByteWriter} wrote. Every read is checked against the end: corrupt input gives a CoderError. */
export class ByteReader {
  private readonly buffer: Buffer;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  fail(message: string): never {
    throw new CoderError(message, this.offset);
  }

  readByte(): number {
    if (this.offset >= this.end) this.fail("unexpected end of input");
    return this.buffer[this.offset++];
  }

  /** A varint of a signed 64-bit integer within the safe range of a number. */
  readVarint(): number {
    const { buffer, end } = this;
    let at = this.offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (at >= end) this.fail("unexpected end of input in a varint");
      const byte = buffer[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.offset = at;
        return value;
      }
      scale *= 128;
    }
    const big = this.readVarintBig();
    if (big < BigInt(Number.MIN_SAFE_INTEGER) || big > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`integer ${big} is beyond what a number holds; use the bigint coder`);
    return Number(big);
  }

  readVarintBig(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.readByte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 63n && byte > 1) this.fail("varint of more than 64 bits");
        return BigInt.asIntN(64, value);
      }
    }
    return this.fail("varint of more than ten bytes");
  }

  /** A varint that counts bytes which must follow. */
  readLength(): number {
    const length = this.readVarint();
    if (length < 0 || length > this.remaining) this.fail(`length ${length} is beyond the end of the input`);
    return length;
  }

  readInt32(): number {
    this.need(4);
    const value = this.buffer.readInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  readInt64(): bigint {
    this.need(8);
    const value = this.buffer.readBigInt64BE(this.offset);
    this.offset += 8;
    return value;
  }

  readInstant(): Timestamp {
    this.need(8);
    const high = (this.buffer.readUInt32BE(this.offset) ^ 0x80000000) | 0;
    const low = this.buffer.readUInt32BE(this.offset + 4);
    this.offset += 8;
    const millis = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(millis) ? millis : timestampOf((BigInt(high) << 32n) | BigInt(low));
  }

  /** An instant as exact milliseconds. */
  readInstantMillis(): bigint {
    return BigInt.asIntN(64, BigInt.asUintN(64, this.readInt64()) ^ (1n << 63n));
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

  /** A reader of the next `length` bytes alone, which this one skips. Offsets stay those of the whole input. */
  slice(length: number): ByteReader {
    this.need(length);
    const inner = new ByteReader(this.buffer, this.offset, this.offset + length);
    this.offset += length;
    return inner;
  }

  /** A copy of the next `length` bytes. */
  readBytes(length: number): Uint8Array {
    this.need(length);
    const bytes = new Uint8Array(this.buffer.subarray(this.offset, this.offset + length));
    this.offset += length;
    return bytes;
  }

  /** The next `length` bytes as UTF-8; what is invalid becomes U+FFFD. */
  readText(length: number): string {
    this.need(length);
    const from = this.offset;
    this.offset += length;
    return isAscii(this.buffer.subarray(from, this.offset)) ? this.buffer.latin1Slice(from, this.offset) : this.buffer.utf8Slice(from, this.offset);
  }

  private need(bytes: number): void {
    if (bytes < 0 || this.offset + bytes > this.end) this.fail(`unexpected end of input: ${bytes} bytes needed, ${this.remaining} left`);
  }
}
