import type { Coder } from "./coder.js";

/** `beam:coder:nullable:v1`: 0 for null, or 1 and the value. */
export function nullableCoder<T>(value: Coder<T>): Coder<T | null> {
  return {
    urn: "beam:coder:nullable:v1",
    components: [value as Coder<unknown>],
    deterministic: value.deterministic,
    encode(element, writer, nested) {
      writer.writeByte(element === null ? 0 : 1);
      if (element !== null) value.encode(element, writer, nested);
    },
    decode(reader, nested) {
      const byte = reader.readByte();
      if (byte > 1) reader.fail(`expected 0 or 1 before a nullable value, got ${byte}`);
      return byte === 0 ? null : value.decode(reader, nested);
    },
  };
}
