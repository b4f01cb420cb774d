// The default coder of plain JavaScript values, `beamstorm:coder:value:v1`. The version is in the URN.
//
// One tag byte, then
//   NULL UNDEFINED FALSE TRUE NEGATIVE_ZERO NAN   nothing
//   INT        varint of a safe integer from 64         NEGATIVE_INT   varint of −1 − n
//   DOUBLE     8 bytes, any other number                BIGINT         sign byte, varint length, magnitude big-endian
//   STRING     varint length, UTF-8                     STRING16       varint length, UTF-16LE: a string with lone surrogates
//   DATE       8 bytes of a double, NaN: invalid        BYTES          varint length, bytes
//   ARRAY      varint count, values                     OBJECT         varint count, name as length and UTF-8, value, by name
//   MAP        varint count, key, value, by bytes       OBJECT16       the same with names in UTF-16LE: one has lone surrogates
//   SET        varint count, members by bytes
//   0x40 + n   nothing: the integer n, 0 ≤ n < 64
//   0x80 + n   n bytes of UTF-8: a string of n < 128 bytes
// Values delimit themselves, so both contexts are the same.
//
// V1. Equal values have equal bytes: names, entries and members are sorted, NaN has one form, 1 and 1.0 are one number. So values
//     of this coder may be keys.
// V2. Different values have different bytes: −0 is not 0, 1 is not 4294967297, "1" is not 1, null is not undefined.
// V3. Nesting is bounded, so that neither cyclic values nor hostile bytes exhaust the stack.
//
// Not kept: holes of arrays (they become undefined), the order of names, entries and members, the difference between Buffer and
// Uint8Array, properties whose name is a symbol.
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

const NULL = 0;
const UNDEFINED = 1;
const FALSE = 2;
const TRUE = 3;
const NEGATIVE_ZERO = 4;
const NAN = 5;
const INT = 6;
const NEGATIVE_INT = 7;
const DOUBLE = 8;
const BIGINT = 9;
const STRING = 10;
const STRING16 = 11;
const DATE = 12;
const BYTES = 13;
const ARRAY = 14;
const OBJECT = 15;
const OBJECT16 = 16;
const MAP = 17;
const SET = 18;
const SMALL_INT = 0x40;
const SMALL_INTS = 0x40;
const SHORT_STRING = 0x80;
const SHORT_STRING_BYTES = 0x80;

/** Deepest nesting of arrays, objects, maps and sets. */
const MAX_DEPTH = 200;
/** Longest magnitude of a bigint: beyond it, parsing takes seconds. */
const MAX_BIGINT_BYTES = 1 << 20;

/**
 * Encodes any plain value of JavaScript: compact, the same bytes for equal values.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * new ValueCoder().encode({ user: "ada", tags: new Set(["a"]) }, writer);
 * ```
 */
export class ValueCoder implements Coder<unknown> {
  readonly urn = "beamstorm:coder:value:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic = true;

  /** @throws CoderError for functions, symbols, instances of classes, and values that are cyclic or nested too deeply */
  encode(value: unknown, writer: ByteWriter): void {
    if (typeof value === "string") encodeString(value, writer);
    else encodeValue(value, writer, 0);
  }

  decode(reader: ByteReader): unknown {
    return decodeValue(reader, 0);
  }
}

function encodeValue(value: unknown, writer: ByteWriter, depth: number): void {
  switch (typeof value) {
    case "string":
      return encodeString(value, writer);
    case "number":
      return encodeNumber(value, writer);
    case "boolean":
      return writer.writeByte(value ? TRUE : FALSE);
    case "undefined":
      return writer.writeByte(UNDEFINED);
    case "bigint":
      return encodeBigInt(value, writer);
    case "object":
      if (value === null) return writer.writeByte(NULL);
      return encodeObject(value, writer, depth);
    default:
      throw new CoderError(`a ${typeof value} cannot be encoded; emit plain values, or give the PCollection a coder with withCoder()`);
  }
}

function encodeString(value: string, writer: ByteWriter): void {
  if (writer.writeShortAscii(SHORT_STRING + value.length, value)) return;
  if (!value.isWellFormed()) {
    writer.writeByte(STRING16);
    writeUtf16(value, writer);
  } else if (value.length < SHORT_STRING_BYTES && Buffer.byteLength(value) < SHORT_STRING_BYTES) {
    writer.writeByte(SHORT_STRING + Buffer.byteLength(value));
    writer.writeText(value);
  } else {
    writer.writeByte(STRING);
    writer.writeUtf8(value);
  }
}

function writeUtf16(value: string, writer: ByteWriter): void {
  writer.writeVarint(value.length * 2);
  writer.writeBytes(Buffer.from(value, "utf16le"));
}

function encodeNumber(value: number, writer: ByteWriter): void {
  if (Number.isSafeInteger(value)) {
    if (value > 0 || Object.is(value, 0)) {
      if (value < SMALL_INTS) return writer.writeByte(SMALL_INT + value);
      writer.writeByte(INT);
      return writer.writeVarint(value);
    }
    if (value === 0) return writer.writeByte(NEGATIVE_ZERO);
    writer.writeByte(NEGATIVE_INT);
    return writer.writeVarint(-1 - value);
  }
  if (Number.isNaN(value)) return writer.writeByte(NAN);
  writer.writeByte(DOUBLE);
  writer.writeDouble(value);
}

function encodeBigInt(value: bigint, writer: ByteWriter): void {
  const magnitude = (value < 0n ? -value : value).toString(16);
  const bytes = Buffer.from(magnitude.length % 2 === 0 ? magnitude : `0${magnitude}`, "hex");
  if (bytes.length > MAX_BIGINT_BYTES) throw new CoderError(`a bigint of ${bytes.length} bytes is too large to be encoded`);
  writer.writeByte(BIGINT);
  writer.writeByte(value < 0n ? 1 : 0);
  writer.writeVarint(bytes.length);
  writer.writeBytes(bytes);
}

function encodeObject(value: object, writer: ByteWriter, depth: number): void {
  if (depth >= MAX_DEPTH) throw new CoderError(`a value is nested more than ${MAX_DEPTH} deep, or contains itself`);
  if (Array.isArray(value)) {
    writer.writeByte(ARRAY);
    writer.writeVarint(value.length);
    for (let i = 0; i < value.length; i++) encodeValue(value[i], writer, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) encodePlain(value as Record<string, unknown>, writer, depth);
  else if (value instanceof Date) {
    const time = value.getTime();
    writer.writeByte(DATE);
    writer.writeDouble(Number.isNaN(time) ? NaN : time);
  } else if (value instanceof Uint8Array) {
    writer.writeByte(BYTES);
    writer.writeVarint(value.length);
    writer.writeBytes(value);
  } else if (value instanceof Map) encodeMap(value, writer, depth);
  else if (value instanceof Set) encodeSet(value, writer, depth);
  else {
    const name = (value.constructor as { name?: string } | undefined)?.name ?? "(none)";
    throw new CoderError(
      `an instance of class ${name} cannot be encoded; emit plain objects, or give the PCollection a coder with withCoder()`,
    );
  }
}

function encodePlain(value: Record<string, unknown>, writer: ByteWriter, depth: number): void {
  const names = Object.keys(value);
  let sorted = true;
  let wellFormed = true;
  for (let i = 0; i < names.length; i++) {
    if (i > 0 && names[i - 1] > names[i]) sorted = false;
    if (!names[i].isWellFormed()) wellFormed = false;
  }
  if (!sorted) names.sort();
  writer.writeByte(wellFormed ? OBJECT : OBJECT16);
  writer.writeVarint(names.length);
  for (let i = 0; i < names.length; i++) {
    if (wellFormed) writer.writeUtf8(names[i]);
    else writeUtf16(names[i], writer);
    encodeValue(value[names[i]], writer, depth + 1);
  }
}

function encodeMap(value: ReadonlyMap<unknown, unknown>, writer: ByteWriter, depth: number): void {
  writer.writeByte(MAP);
  writer.writeVarint(value.size);
  const starts = [writer.length];
  for (const [key, item] of value) {
    encodeValue(key, writer, depth + 1);
    encodeValue(item, writer, depth + 1);
    starts.push(writer.length);
  }
  sortParts(starts, writer);
}

function encodeSet(value: ReadonlySet<unknown>, writer: ByteWriter, depth: number): void {
  writer.writeByte(SET);
  writer.writeVarint(value.size);
  const starts = [writer.length];
  for (const item of value) {
    encodeValue(item, writer, depth + 1);
    starts.push(writer.length);
  }
  sortParts(starts, writer);
}

/** V1: puts what was written between neighbouring offsets into the order of the bytes. */
function sortParts(starts: readonly number[], writer: ByteWriter): void {
  if (starts.length < 3) return;
  const [from] = starts;
  const all = writer.toBytes(from);
  const parts: Uint8Array[] = [];
  for (let i = 1; i < starts.length; i++) parts.push(all.subarray(starts[i - 1] - from, starts[i] - from));
  parts.sort((a, b) => Buffer.compare(a, b));
  writer.length = from;
  for (const part of parts) writer.writeBytes(part);
}

function decodeValue(reader: ByteReader, depth: number): unknown {
  const tag = reader.readByte();
  if (tag >= SHORT_STRING) return reader.readText(tag - SHORT_STRING);
  if (tag >= SMALL_INT) return tag - SMALL_INT;
  switch (tag) {
    case NULL:
      return null;
    case UNDEFINED:
      return undefined;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NEGATIVE_ZERO:
      return -0;
    case NAN:
      return NaN;
    case INT:
      return reader.readVarint();
    case NEGATIVE_INT:
      return -1 - reader.readVarint();
    case DOUBLE:
      return reader.readDouble();
    case BIGINT:
      return decodeBigInt(reader);
    case STRING:
      return reader.readText(reader.readLength());
    case STRING16:
      return readUtf16(reader);
    case DATE:
      return new Date(reader.readDouble());
    case BYTES:
      return reader.readBytes(reader.readLength());
    default:
      return decodeObject(tag, reader, depth + 1);
  }
}

function decodeObject(tag: number, reader: ByteReader, depth: number): unknown {
  if (depth > MAX_DEPTH) reader.fail(`a value is nested more than ${MAX_DEPTH} deep`);
  switch (tag) {
    case ARRAY: {
      const items: unknown[] = [];
      for (let n = readCount(reader); n > 0; n--) items.push(decodeValue(reader, depth));
      return items;
    }
    case OBJECT:
    case OBJECT16: {
      const value: Record<string, unknown> = {};
      for (let n = readCount(reader); n > 0; n--) {
        const name = tag === OBJECT ? reader.readText(reader.readLength()) : readUtf16(reader);
        const item = decodeValue(reader, depth);
        // Assigned, "__proto__" would be a prototype.
        if (name === "__proto__") Object.defineProperty(value, name, { value: item, enumerable: true, configurable: true, writable: true });
        else value[name] = item;
      }
      return value;
    }
    case MAP: {
      const value = new Map<unknown, unknown>();
      for (let n = readCount(reader); n > 0; n--) {
        const key = decodeValue(reader, depth);
        value.set(key, decodeValue(reader, depth));
      }
      return value;
    }
    case SET: {
      const value = new Set<unknown>();
      for (let n = readCount(reader); n > 0; n--) value.add(decodeValue(reader, depth));
      return value;
    }
    default:
      return reader.fail(`tag ${tag} of a value is not known`);
  }
}

function decodeBigInt(reader: ByteReader): bigint {
  const sign = reader.readByte();
  if (sign > 1) reader.fail(`expected 0 or 1 for the sign of a bigint, got ${sign}`);
  const length = reader.readLength();
  if (length > MAX_BIGINT_BYTES) reader.fail(`a bigint of ${length} bytes`);
  const magnitude = BigInt(`0x${Buffer.from(reader.readBytes(length)).toString("hex") || "0"}`);
  return sign === 1 ? -magnitude : magnitude;
}

function readUtf16(reader: ByteReader): string {
  const length = reader.readLength();
  if (length % 2 !== 0) reader.fail(`a UTF-16 string of ${length} bytes`);
  return Buffer.from(reader.readBytes(length)).toString("utf16le");
}

/** A count of values, each of which takes a byte at least, so it is bounded as a length is. */
function readCount(reader: ByteReader): number {
  return reader.readLength();
}
