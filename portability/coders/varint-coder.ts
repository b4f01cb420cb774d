import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

/** `beam:coder:varint:v1` for safe integers. Decoding one beyond them is an error, never a wrong number. */
export const varintCoder: Coder<number> = {
  urn: "beam:coder:varint:v1",
  components: [],
  deterministic: true,
  encode(value, writer) {
    if (!Number.isSafeInteger(value)) throw new CoderError(`expected a safe integer, got ${String(value)}; use the bigint coder for larger ones`);
    writer.writeVarint(value);
  },
  decode: (reader) => reader.readVarint(),
};

/** `beam:coder:varint:v1` for all signed 64-bit integers, as bigint. */
export const varintBigIntCoder: Coder<bigint> = {
  urn: "beam:coder:varint:v1",
  components: [],
  deterministic: true,
  encode(value, writer) {
    if (BigInt.asIntN(64, value) !== value) throw new CoderError(`${value} is not a signed 64-bit integer`);
    writer.writeVarintBig(value);
  },
  decode: (reader) => reader.readVarintBig(),
};
