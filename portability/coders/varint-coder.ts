import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:varint:v1` for safe integers: 1 to 10 bytes, least significant seven bits first; negative ones take ten. An
 * integer beyond the safe ones is a CoderError on either side, never a wrong number.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * varintCoder.encode(300, writer, true);
 * const same = varintCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const varintCoder: Coder<number> = {
  urn: "beam:coder:varint:v1",
  components: [],
  deterministic: true,
  encode(value, writer) {
    if (!Number.isSafeInteger(value)) wrongValue("a safe integer (for larger ones there is varintBigIntCoder)", value);
    writer.writeVarint(value);
  },
  decode: (reader) => reader.readVarint(),
};

/**
 * `beam:coder:varint:v1` for all signed 64-bit integers, as bigint: 1 to 10 bytes.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * varintBigIntCoder.encode(2n ** 62n, writer, true);
 * const same = varintBigIntCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const varintBigIntCoder: Coder<bigint> = {
  urn: "beam:coder:varint:v1",
  components: [],
  deterministic: true,
  encode(value, writer) {
    if (typeof value !== "bigint") wrongValue("a bigint", value);
    if (BigInt.asIntN(64, value) !== value) throw new CoderError(`${value} is not a signed 64-bit integer`);
    writer.writeVarintBig(value);
  },
  decode: (reader) => reader.readVarintBig(),
};
