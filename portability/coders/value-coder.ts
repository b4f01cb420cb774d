// The default coder of plain JavaScript values, `beamstorm:coder:value:v1`. The version is in the URN.
//
//   tag byte, then
//     NULL UNDEFINED FALSE TRUE NEGATIVE_ZERO NAN      nothing
//     INT     varint of a safe integer ≥ 0;  NEGATIVE_INT   varint of −1 − n
//     DOUBLE  eight bytes                    BIGINT   sign byte, length, magnitude big-endian
//     STRING  length, UTF-16LE if it has lone surrogates (STRING16), else UTF-8
//     DATE    eight bytes of a double (NaN: invalid)
//     BYTES   length, bytes                  ARRAY    count, values
//     OBJECT  count, (name, value) by name   MAP, SET  count, entries by their bytes
//     SMALL_INT + n  (tags from 0x40)        0 ≤ n < 64
//
// V1. Equal values have equal bytes: names, entries and members are sorted, NaN has one form, 1 and 1.0 are one number.
// V2. Different values have different bytes: −0 is not 0, 1 is not 4294967297, "1" is not 1.
// V3. Nesting is bounded, so that neither cyclic values nor hostile bytes exhaust the stack.
import type { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

const enum Tag {
  NULL,
  UNDEFINED,
  FALSE,
  TRUE,
  NEGATIVE_ZERO,
  NAN,
  INT,
  NEGATIVE_INT,
  DOUBLE,
  BIGINT,
  STRING,
  STRING16,
  DATE,
  BYTES,
  ARRAY,
  OBJECT,
  MAP,
  SET,
  SMALL_INT = 0x40,
}

const MAX_DEPTH = 200;
const SMALL_INTS = 64;

export class ValueCoder implements Coder<unknown> {
  readonly urn = "beamstorm:coder:value:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic = true;

  encode(value: unknown, writer: ByteWriter): void {
    encodeValue(value, writer, 0);
  }

  decode(reader: ByteReader): unknown {
    return decodeValue(reader, 0);
  }
}

function encodeValue(value: unknown, writer: ByteWriter, depth: number): void {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) {
        writer.writeByte(Tag.STRING);
        writer.writeUtf8(value);
      } else {
        writer.writeByte(Tag.STRING16);
        const bytes = Buffer.from(value, "utf16le");
        writer.writeVarint(bytes.length);
        writer.writeBytes(bytes);
      }
      return;
    case "number":
      return encodeNumber(value, writer);
    case "boolean":
      return writer.writeByte(value ? Tag.TRUE : Tag.FALSE);
    case "undefined":
      return writer.writeByte(Tag.UNDEFINED);
    case "bigint":
      return encodeBigInt(value, writer);
    case "object":
      if (value === null) return writer.writeByte(Tag.NULL);
      return encodeObject(value, writer, depth);
    default:
      throw new CoderError(`a ${typeof value} cannot be encoded; emit plain values, or give the PCollection a coder with withCoder()`);
  }
}

function encodeNumber(value: number, writer: ByteWriter): void {
  if (Number.isSafeInteger(value)) {
    if (value > 0 || Object.is(value, 0)) {
      if (value < SMALL_INTS) return writer.writeByte(Tag.SMALL_INT + value);
      writer.writeByte(Tag.INT);
      return writer.writeVarint(value);
    }
    if (value === 0) return writer.writeByte(Tag.NEGATIVE_ZERO);
    writer.writeByte(Tag.NEGATIVE_INT);
    return writer.writeVarint(-1 - value);
  }
  if (Number.isNaN(value)) return writer.writeByte(Tag.NAN);
  writer.writeByte(Tag.DOUBLE);
  writer.writeDouble(value);
}

function encodeBigInt(value: bigint, writer: ByteWriter): void {
  const magnitude = (value < 0n ? -value : value).toString(16);
  const bytes = Buffer.from(magnitude.length % 2 === 0 ? magnitude : `0${magnitude}`, "hex");
  writer.writeByte(Tag.BIGINT);
  writer.writeByte(value < 0n ? 1 : 0);
  writer.writeVarint(bytes.length);
  writer.writeBytes(bytes);
}

function encodeObject(value: object, writer: ByteWriter, depth: number): void {
  if (depth >= MAX_DEPTH) throw new CoderError(`a value is nested more than ${MAX_DEPTH} deep, or contains itself`);
  if (Array.isArray(value)) {
    writer.writeByte(Tag.ARRAY);
    writer.writeVarint(value.length);
    for (let i = 0; i < value.length; i++) encodeValue(value[i], writer, depth + 1);
  } else if (value instanceof Date) {
    writer.writeByte(Tag.DATE);
    writer.writeDouble(value.getTime());
  } else if (value instanceof Uint8Array) {
    writer.writeByte(Tag.BYTES);
    writer.writeVarint(value.length);
    writer.writeBytes(value);
  } else if (value instanceof Map) {
    encodeSorted(Tag.MAP, value, writer, ([key, item], scratch) => {
      encodeValue(key, scratch, depth + 1);
      encodeValue(item, scratch, depth + 1);
    });
  } else if (value instanceof Set) {
    encodeSorted(Tag.SET, value, writer, (item, scratch) => encodeValue(item, scratch, depth + 1));
  } else encodePlain(value, writer, depth);
}

function encodePlain(value: object, writer: ByteWriter, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (value.constructor as { name?: string } | undefined)?.name ?? "unknown";
    throw new CoderError(`an instance of class ${name} cannot be encoded; emit plain objects, or give the PCollection a coder with withCoder()`);
  }
  const names = Object.keys(value).sort();
  writer.writeByte(Tag.OBJECT);
  writer.writeVarint(names.length);
  for (const name of names) {
    writer.writeUtf8(name);
    encodeValue((value as Record<string, unknown>)[name], writer, depth + 1);
  }
}

/** V1: entries in the order of their bytes. */
function encodeSorted<T>(tag: Tag, items: ReadonlySet<T> | Iterable<T>, writer: ByteWriter, encode: (item: T, scratch: ByteWriter) => void): void {
  const encoded = [...items].map((item) => {
    const scratch = new ByteWriter(64);
    encode(item, scratch);
    return scratch.view();
  });
  encoded.sort(Buffer.compare);
  writer.writeByte(tag);
  writer.writeVarint(encoded.length);
  for (const bytes of encoded) writer.writeBytes(bytes);
}

function decodeValue(reader: ByteReader, depth: number): unknown {
  if (depth > MAX_DEPTH) reader.fail(`nested more than ${MAX_DEPTH} deep`);
  const tag = reader.readByte();
  if (tag >= Tag.SMALL_INT && tag < Tag.SMALL_INT + SMALL_INTS) return tag - Tag.SMALL_INT;
  switch (tag) {
    case Tag.NULL:
      return null;
    case Tag.UNDEFINED:
      return undefined;
    case Tag.FALSE:
      return false;
    case Tag.TRUE:
      return true;
    case Tag.NEGATIVE_ZERO:
      return -0;
    case Tag.NAN:
      return NaN;
    case Tag.INT:
      return reader.readVarint();
    case Tag.NEGATIVE_INT:
      return -1 - reader.readVarint();
    case Tag.DOUBLE:
      return reader.readDouble();
    case Tag.BIGINT: {
      const negative = reader.readByte() === 1;
      const magnitude = BigInt(`0x${Buffer.from(reader.readBytes(reader.readLength())).toString("hex") || "0"}`);
      return negative ? -magnitude : magnitude;
    }
    case Tag.STRING:
      return reader.readText(reader.readLength());
    case Tag.STRING16:
      return Buffer.from(reader.readBytes(reader.readLength())).toString("utf16le");
    case Tag.DATE:
      return new Date(reader.readDouble());
    case Tag.BYTES:
      return reader.readBytes(reader.readLength());
    case Tag.ARRAY: {
      const items: unknown[] = [];
      for (let n = readCount(reader); n > 0; n--) items.push(decodeValue(reader, depth + 1));
      return items;
    }
    case Tag.OBJECT: {
      const value: Record<string, unknown> = {};
      for (let n = readCount(reader); n > 0; n--) {
        const name = reader.readText(reader.readLength());
        const item = decodeValue(reader, depth + 1);
        if (name === "__proto__") Object.defineProperty(value, name, { value: item, enumerable: true, configurable: true, writable: true });
        else value[name] = item;
      }
      return value;
    }
    case Tag.MAP: {
      const value = new Map<unknown, unknown>();
      for (let n = readCount(reader); n > 0; n--) {
        const key = decodeValue(reader, depth + 1);
        value.set(key, decodeValue(reader, depth + 1));
      }
      return value;
    }
    case Tag.SET: {
      const value = new Set<unknown>();
      for (let n = readCount(reader); n > 0; n--) value.add(decodeValue(reader, depth + 1));
      return value;
    }
    default:
      return reader.fail(`tag ${tag} is not known`);
  }
}

/** A count of values, each of which takes a byte at least. */
function readCount(reader: ByteReader): number {
  return reader.readLength();
}
