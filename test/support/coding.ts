// Coders at work in tests: values to hex and back.
import assert from "node:assert/strict";
import { ByteReader, ByteWriter, CoderError, type Coder } from "../../portability/coders/index.js";

export function encode<T>(coder: Coder<T>, value: T, nested = true): Buffer {
  const writer = new ByteWriter(16);
  coder.encode(value, writer, nested);
  return Buffer.from(writer.toBytes());
}

export function hexOf<T>(coder: Coder<T>, value: T, nested = true): string {
  return encode(coder, value, nested).toString("hex");
}

/** Hex may have spaces. All bytes must be read. */
export function decode<T>(coder: Coder<T>, bytes: Uint8Array | string, nested = true): T {
  const reader = new ByteReader(typeof bytes === "string" ? fromHex(bytes) : bytes);
  const value = coder.decode(reader, nested);
  assert.equal(reader.remaining, 0, "bytes are left over");
  return value;
}

export function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

/** The value has these bytes in both contexts, and the bytes have this value. */
export function assertCoding<T>(coder: Coder<T>, value: T, hex: string): void {
  for (const nested of [true, false]) {
    assert.equal(hexOf(coder, value, nested), hex.replaceAll(" ", ""));
    assert.deepEqual(decode(coder, hex, nested), value);
  }
}

/** Decoding fails with a CoderError that says where. */
export function assertUndecodable(coder: Coder<unknown>, bytes: Uint8Array | string, message: RegExp, nested = true): void {
  assert.throws(
    () => decode(coder, bytes, nested),
    (error) => {
      assert.ok(error instanceof CoderError, String(error));
      assert.match(error.message, message);
      assert.equal(typeof error.offset, "number");
      return true;
    },
  );
}

/** Encoding fails with a CoderError. */
export function assertUnencodable(coder: Coder<unknown>, value: unknown, message: RegExp): void {
  assert.throws(
    () => encode(coder, value),
    (error) => {
      assert.ok(error instanceof CoderError, String(error));
      assert.match(error.message, message);
      assert.equal(error.offset, undefined);
      return true;
    },
  );
}
