import type { Coder } from "./coder.js";

/** `beam:coder:bytes:v1`: raw bytes, with a varint length where nested. */
export const bytesCoder: Coder<Uint8Array> = {
  urn: "beam:coder:bytes:v1",
  components: [],
  deterministic: true,
  encode(value, writer, nested) {
    if (nested) writer.writeVarint(value.length);
    writer.writeBytes(value);
  },
  decode: (reader, nested) => reader.readBytes(nested ? reader.readLength() : reader.remaining),
};
