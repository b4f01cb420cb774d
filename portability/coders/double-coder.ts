import type { Coder } from "./coder.js";

/** `beam:coder:double:v1`: eight bytes IEEE 754, big-endian. Not for keys: NaN has many encodings. */
export const doubleCoder: Coder<number> = {
  urn: "beam:coder:double:v1",
  components: [],
  deterministic: false,
  encode: (value, writer) => writer.writeDouble(value),
  decode: (reader) => reader.readDouble(),
};
