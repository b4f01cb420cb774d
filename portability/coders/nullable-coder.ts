import type { Coder } from "./coder.js";

/**
 * `beam:coder:nullable:v1`: one byte, 0 for null, or 1 and the value in the context of the whole. Undefined is written as null.
 *
 * @example
 * ```ts
 * const coder = nullableCoder(varintCoder);
 * const writer = new ByteWriter();
 * coder.encode(null, writer, true);
 * const same = coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export function nullableCoder<T>(value: Coder<T>): Coder<T | null> {
  return {
    urn: "beam:coder:nullable:v1",
    components: [value as Coder<unknown>],
    deterministic: value.deterministic,
    encode(element, writer, nested) {
      if (element === null || element === undefined) {
        writer.writeByte(0);
        return;
      }
      writer.writeByte(1);
      value.encode(element, writer, nested);
    },
    decode(reader, nested) {
      const byte = reader.readByte();
      if (byte > 1) reader.fail(`expected 0 or 1 before a nullable value, got ${byte}`);
      return byte === 0 ? null : value.decode(reader, nested);
    },
  };
}
