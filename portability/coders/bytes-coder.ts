import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:bytes:v1`: raw bytes, with a varint length in front where nested. Decodes to a copy.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * bytesCoder.encode(new Uint8Array([1, 2]), writer, true);
 * const same = bytesCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const bytesCoder: Coder<Uint8Array> = {
  urn: "beam:coder:bytes:v1",
  components: [],
  deterministic: true,
  encode(value, writer, nested) {
    if (!(value instanceof Uint8Array)) wrongValue("a Uint8Array", value);
    if (nested) writer.writeVarint(value.length);
    writer.writeBytes(value);
  },
  decode: (reader, nested) => reader.readBytes(nested ? reader.readLength() : reader.remaining),
};
