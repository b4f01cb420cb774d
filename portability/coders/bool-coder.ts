import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:bool:v1`: one byte, 0 or 1; any other is a CoderError.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * boolCoder.encode(true, writer, true);
 * const same = boolCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const boolCoder: Coder<boolean> = {
  urn: "beam:coder:bool:v1",
  components: [],
  deterministic: true,
  encode(value, writer) {
    if (typeof value !== "boolean") wrongValue("a boolean", value);
    writer.writeByte(value ? 1 : 0);
  },
  decode(reader) {
    const byte = reader.readByte();
    if (byte > 1) reader.fail(`expected 0 or 1 for a boolean, got ${byte}`);
    return byte === 1;
  },
};
