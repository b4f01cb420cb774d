// The values of a runner that knows where they begin and end, and nothing else of them.
//
// A value is its encoding: short ones as a string of one character a byte, which takes a third of a byte array's memory, is made and collected
// in a fraction of the time, and is its own identity as a key; long ones as a Uint8Array. Both forms are accepted everywhere.
import type { ByteWriter } from "../../portability/coders/index.js";

export type RawValue = string | Uint8Array;

/** Longest value, in bytes, that is a string. */
export const SHORT_VALUE = 256;

/** What came in a message, without the message. */
export function rawValueOf(bytes: Uint8Array): RawValue {
  return bytes.length <= SHORT_VALUE ? bufferOf(bytes).latin1Slice() : Uint8Array.prototype.slice.call(bytes);
}

export function isRawValue(value: unknown): value is RawValue {
  return typeof value === "string" || value instanceof Uint8Array;
}

export function writeRaw(value: RawValue, writer: ByteWriter): void {
  if (typeof value === "string") writer.writeLatin1(value);
  else writer.writeBytes(value);
}

/** The same for equal values. */
export function textOfRaw(value: RawValue): string {
  return typeof value === "string" ? value : bufferOf(value).latin1Slice();
}

export function bytesOfRaw(value: RawValue): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "latin1") : value;
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
