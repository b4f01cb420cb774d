// Coders of values inside rows, where layouts differ from those of the same types outside. They have no URN of Beam's: a row is
// described by its schema.
import type { Decimal } from "../schemas/index.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { wrongValue } from "./wrong-value.js";

/** Longest unscaled value of a decimal: beyond it, parsing takes seconds. */
const MAX_DECIMAL_BYTES = 1 << 20;

function fieldCoder<T>(
  name: string,
  encode: (value: T, writer: ByteWriter) => void,
  decode: (reader: ByteReader) => T,
  deterministic = true,
): Coder<T> {
  return { urn: `beamstorm:coder:row_field_${name}:v1`, components: [], deterministic, encode, decode };
}

/** BYTE: one byte, signed. */
export const byteField = fieldCoder<number>(
  "byte",
  (value, writer) => {
    if (typeof value !== "number" || (value << 24) >> 24 !== value) wrongValue("an integer from -128 to 127", value);
    writer.writeByte(value);
  },
  (reader) => (reader.readByte() << 24) >> 24,
);

/** INT16: two bytes, big-endian. */
export const int16Field = fieldCoder<number>(
  "int16",
  (value, writer) => {
    if (typeof value !== "number" || (value << 16) >> 16 !== value) wrongValue("an integer of 16 bits", value);
    writer.writeInt16(value);
  },
  (reader) => reader.readInt16(),
);

/** INT32: a varint of the value modulo 2^32, 1 to 5 bytes. Go writes negative ones sign-extended, in ten: both are read. */
export const int32Field = fieldCoder<number>(
  "int32",
  (value, writer) => {
    if (typeof value !== "number" || (value | 0) !== value) wrongValue("an integer of 32 bits", value);
    writer.writeVarint(value >>> 0);
  },
  (reader) => reader.readVarint32(),
);

/** FLOAT: four bytes IEEE 754, big-endian; other numbers are rounded to it. */
export const floatField = fieldCoder<number>(
  "float",
  (value, writer) => {
    if (typeof value !== "number") wrongValue("a number", value);
    writer.writeFloat(value);
  },
  (reader) => reader.readFloat(),
  false,
);

/** Milliseconds since 1970 in eight bytes, as an instant. */
export const millisInstantField = fieldCoder<number>(
  "millis_instant",
  (value, writer) => writer.writeInstant(value),
  (reader) => reader.readInstant(),
);

/** Days since 1970-01-01, as a varint. */
export const dateField = fieldCoder<number>(
  "date",
  (value, writer) => {
    if (!Number.isSafeInteger(value)) wrongValue("a whole number of days", value);
    writer.writeVarint(value);
  },
  (reader) => reader.readVarint(),
);

/** Varint scale (32 bits, as INT32), varint length, unscaled value in two's complement, big-endian, of minimal length. */
export const decimalField = fieldCoder<Decimal>(
  "decimal",
  (value, writer) => {
    if (typeof value?.unscaled !== "bigint" || typeof value.scale !== "number") wrongValue("a decimal", value);
    const { unscaled, scale } = value;
    if ((scale | 0) !== scale) wrongValue("a scale of 32 bits", scale);
    const size = twosComplementBytes(unscaled);
    if (size > MAX_DECIMAL_BYTES) throw new CoderError(`a decimal of ${size} bytes is too large to be encoded`);
    writer.writeVarint(scale >>> 0);
    writer.writeVarint(size);
    const digits = BigInt.asUintN(size * 8, unscaled).toString(16);
    writer.writeBytes(Buffer.from(digits.padStart(size * 2, "0"), "hex"));
  },
  (reader) => {
    const scale = reader.readVarint32();
    const length = reader.readLength();
    if (length > MAX_DECIMAL_BYTES) reader.fail(`a decimal of ${length} bytes`);
    const digits = Buffer.from(reader.readBytes(length)).toString("hex");
    return { unscaled: BigInt.asIntN(length * 8, BigInt(`0x${digits || "0"}`)), scale };
  },
);

/** Bytes that hold a two's complement. */
function twosComplementBytes(value: bigint): number {
  const magnitude = value < 0n ? -1n - value : value;
  const digits = magnitude.toString(16);
  const bits = (digits.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(digits[0], 16)));
  return (bits >> 3) + 1;
}

/** Bytes of a fixed length, varint in front: shorter ones are padded with zeros, longer ones refused. */
export function fixedBytesField(length: number): Coder<Uint8Array> {
  return fieldCoder<Uint8Array>(
    "fixed_bytes",
    (value, writer) => {
      if (!(value instanceof Uint8Array)) wrongValue("a Uint8Array", value);
      if (value.length > length) throw tooLong(`${value.length} bytes`, length);
      writer.writeVarint(length);
      writer.writeBytes(value);
      for (let i = value.length; i < length; i++) writer.writeByte(0);
    },
    (reader) => reader.readBytes(reader.readLength()),
  );
}

/** Bytes up to a length, varint in front: longer ones are refused. */
export function varBytesField(maxLength: number): Coder<Uint8Array> {
  return fieldCoder<Uint8Array>(
    "var_bytes",
    (value, writer) => {
      if (!(value instanceof Uint8Array)) wrongValue("a Uint8Array", value);
      if (value.length > maxLength) throw tooLong(`${value.length} bytes`, maxLength);
      writer.writeVarint(value.length);
      writer.writeBytes(value);
    },
    (reader) => reader.readBytes(reader.readLength()),
  );
}

/** Text of a fixed number of UTF-16 units, as a nested string: shorter ones are padded with spaces, longer ones refused. */
export function fixedCharField(length: number): Coder<string> {
  return fieldCoder<string>(
    "fixed_char",
    (value, writer) => {
      if (typeof value !== "string") wrongValue("a string", value);
      if (value.length > length) throw tooLong(`${value.length} characters`, length);
      writer.writeUtf8(value.padEnd(length, " "));
    },
    (reader) => reader.readText(reader.readLength()),
  );
}

/** Text up to a number of UTF-16 units, as a nested string: longer ones are refused. */
export function varCharField(maxLength: number): Coder<string> {
  return fieldCoder<string>(
    "var_char",
    (value, writer) => {
      if (typeof value !== "string") wrongValue("a string", value);
      if (value.length > maxLength) throw tooLong(`${value.length} characters`, maxLength);
      writer.writeUtf8(value);
    },
    (reader) => reader.readText(reader.readLength()),
  );
}

/** A map: int32 count, then keys and values in turn. The order of the entries is that of the map, so it is not for keys. */
export function mapField<K, V>(key: Coder<K>, value: Coder<V>): Coder<ReadonlyMap<K, V>> {
  return fieldCoder<ReadonlyMap<K, V>>(
    "map",
    (map, writer) => {
      if (!(map instanceof Map)) wrongValue("a Map", map);
      writer.writeInt32(map.size);
      for (const [k, v] of map) {
        key.encode(k, writer, true);
        value.encode(v, writer, true);
      }
    },
    (reader) => {
      const count = reader.readInt32();
      if (count < 0 || count > reader.remaining) reader.fail(`a map of ${count} entries`);
      const map = new Map<K, V>();
      for (let i = 0; i < count; i++) {
        const k = key.decode(reader, true);
        map.set(k, value.decode(reader, true));
      }
      return map;
    },
    false,
  );
}

function tooLong(what: string, length: number): CoderError {
  return new CoderError(`${what} do not fit into a field of ${length}`);
}
