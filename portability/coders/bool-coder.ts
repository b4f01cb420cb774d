import type { Coder } from "./coder.js";

/** `beam:coder:bool:v1`: one byte, 0 or 1. */
export const boolCoder: Coder<boolean> = {
  urn: "beam:coder:bool:v1",
  components: [],
  deterministic: true,
  encode: (value, writer) => writer.writeByte(value ? 1 : 0),
  decode(reader) {
    const byte = reader.readByte();
    if (byte > 1) reader.fail(`expected 0 or 1 for a boolean, got ${byte}`);
    return byte === 1;
  },
};
