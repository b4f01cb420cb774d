import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

/** `beam:coder:string_utf8:v1`: UTF-8, with a varint length in bytes where nested. Lone surrogates become U+FFFD. */
export const utf8Coder: Coder<string> = {
  urn: "beam:coder:string_utf8:v1",
  components: [],
  deterministic: true,
  encode(value, writer, nested) {
    if (typeof value !== "string") throw new CoderError(`expected a string, got ${typeof value}`);
    if (nested) writer.writeUtf8(value);
    else writer.writeText(value);
  },
  decode: (reader, nested) => reader.readText(nested ? reader.readLength() : reader.remaining),
};
