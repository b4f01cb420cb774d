import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:double:v1`: eight bytes IEEE 754, big-endian. −0 and the infinities are kept; JavaScript has one NaN, so its
 * payload bits may be lost. Not for keys: NaN has many encodings.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * doubleCoder.encode(0.5, writer, true);
 * const same = doubleCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const doubleCoder: Coder<number> = {
  urn: "beam:coder:double:v1",
  components: [],
  deterministic: false,
  encode(value, writer) {
    if (typeof value !== "number") wrongValue("a number", value);
    writer.writeDouble(value);
  },
  decode: (reader) => reader.readDouble(),
};
