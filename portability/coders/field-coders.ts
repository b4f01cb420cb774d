// Coders of values inside rows, where layouts differ from the coders of the same types outside.
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";

function fieldCoder<T>(
  name: string,
  encode: (value: T, writer: ByteWriter) => void,
  decode: (reader: ByteReader) => T,
  deterministic = true,
): Coder<T> {
  return { urn: `beamstorm:coder:row_field_${name}`, components: [], deterministic, encode, decode };
}

function checked(value: number, low: number, high: number, name: string): number {
  if (!Number.isInteger(value) || value < low || value > high) throw new CoderError(`${String(value)} is not an ${name}`);
  return value;
}

/** BYTE: one byte, signed. */
export const byteField = fieldCoder<number>(
  "byte",
  (value, writer) => writer.writeByte(checked(value, -128, 255, "8-bit integer") & 0xff),
  (reader) => (reader.readByte() << 24) >> 24,
);

/** INT16: two bytes, big-endian. */
export const int16Field = fieldCoder<number>(
  "int16",
  (value, writer) => {
    checked(value, -0x8000, 0x7fff, "int16");
    writer.writeByte((value >> 8) & 0xff);
    writer.writeByte(value & 0xff);
  },
  (reader) => ((reader.readByte() << 24) >> 16) | reader.readByte(),
);

/** INT32: a varint of the value modulo 2^32. Go writes negative ones sign-extended, in ten bytes: both are read. */
export const int32Field = fieldCoder<number>(
  "int32",
  (value, writer) => writer.writeVarint(checked(value, -0x80000000, 0x7fffffff, "int32") >>> 0),
  (reader) => Number(BigInt.asIntN(32, reader.readVarintBig())),
);

/** FLOAT: four bytes IEEE 754, big-endian. */
export const floatField = fieldCoder<number>(
  "float",
  (value, writer) => writer.writeFloat(value),
  (reader) => reader.readFloat(),
  false,
);

/** Milliseconds since 1970 in eight bytes, as an instant. */
export const millisInstantField = fieldCoder<number>(
  "millis_instant",
  (value, writer) => writer.writeInstant(value),
  (reader) => reader.readInstant(),
);

/** An exact decimal number: `unscaled × 10^-scale`. */
export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Varint scale, varint length, two's complement big-endian of minimal length. */
export const decimalField = fieldCoder<Decimal>(
  "decimal",
  ({ unscaled, scale }, writer) => {
    writer.writeVarint(scale);
    let bits = 8;
    while (BigInt.asIntN(bits, unscaled) !== unscaled) bits += 8;
    const hex = BigInt.asUintN(bits, unscaled)
      .toString(16)
      .padStart(bits / 4, "0");
    writer.writeVarint(bits / 8);
    writer.writeBytes(Buffer.from(hex, "hex"));
  },
  (reader) => {
    const scale = reader.readVarint();
    const bytes = reader.readBytes(reader.readLength());
    const unsigned = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
    return { unscaled: BigInt.asIntN(bytes.length * 8, unsigned), scale };
  },
);

/** Bytes of a fixed length: shorter ones are padded with zeros, longer ones refused. */
export function fixedBytesField(length: number): Coder<Uint8Array> {
  return fieldCoder<Uint8Array>(
    "fixed_bytes",
    (value, writer) => {
      if (value.length > length) throw new CoderError(`${value.length} bytes do not fit into ${length}`);
      writer.writeVarint(length);
      writer.writeBytes(value);
      for (let i = value.length; i < length; i++) writer.writeByte(0);
    },
    (reader) => reader.readBytes(reader.readLength()),
  );
}

/** Text of a fixed number of characters: shorter ones are padded with spaces, longer ones refused. */
export function fixedCharField(length: number): Coder<string> {
  return fieldCoder<string>(
    "fixed_char",
    (value, writer) => {
      if (value.length > length) throw new CoderError(`${value.length} characters do not fit into ${length}`);
      writer.writeUtf8(value.padEnd(length, " "));
    },
    (reader) => reader.readText(reader.readLength()),
  );
}

/** A map: int32 count, then keys and values in turn. */
export function mapField<K, V>(key: Coder<K>, value: Coder<V>): Coder<Map<K, V>> {
  return fieldCoder<Map<K, V>>(
    "map",
    (map, writer) => {
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
