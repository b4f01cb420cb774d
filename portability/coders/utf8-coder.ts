import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:string_utf8:v1`: UTF-8, with a varint length in bytes in front where nested. What Unicode does not allow, lone
 * surrogates and invalid bytes, becomes U+FFFD.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * utf8Coder.encode("to be", writer, true);
 * const same = utf8Coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const utf8Coder: Coder<string> = {
  urn: "beam:coder:string_utf8:v1",
  components: [],
  deterministic: true,
  encode(value, writer, nested) {
    if (typeof value !== "string") wrongValue("a string", value);
    if (nested) writer.writeUtf8(value);
    else writer.writeText(value);
  },
  decode: (reader, nested) => reader.readText(nested ? reader.readLength() : reader.remaining),
};
