// How the values of a schema are stored: the type that a file declares, and the function that makes its values. Every value is checked
// when it is written, since what the libraries say of a wrong one does not name the field.
import type { AtomicKind, LogicalShape, Schema } from "../../../portability/schemas/index.js";
import { PipelineError, renderElement } from "../../../portability/stage-host/index.js";
import { LOGICAL_TYPE } from "../../../portability/urns/index.js";
import { signedBytes, unscaledAt, type DecimalSize } from "./decimals.js";
import { microsInstantToFile, millisInstantToFile, timestampToFile, unitOf } from "./instants.js";
import type { AtomicStoredKind, Stored, StoredType } from "./stored-type.js";

export interface Storage extends Stored {
  /** @throws RangeError naming the field, for a value that is not one of the schema */
  readonly convert: (value: unknown) => unknown;
}

export interface StorageOptions {
  readonly decimal: DecimalSize;
  /** Whether a decimal is to be given as bytes, not as a bigint. */
  readonly decimalBytes: boolean;
}

type Convert = (value: unknown) => unknown;
type Present = { readonly type: StoredType; readonly convert: Convert };

/** @throws PipelineError for a type that files cannot hold */
export function toStored(schema: Schema<unknown>, path: string, options: StorageOptions): Storage {
  const { type, convert } = present(schema, path, options);
  const { nullable } = schema;
  const checked: Convert = (value) => {
    if (value === null && nullable) return null;
    try {
      return convert(value);
    } catch (cause) {
      throw cause instanceof FieldError ? cause : new FieldError(path, cause);
    }
  };
  return { type, nullable, convert: checked };
}

/** Its message begins with the field; raised once, by the innermost. */
class FieldError extends RangeError {
  constructor(path: string, cause: unknown) {
    super(`field "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function present(schema: Schema<unknown>, path: string, options: StorageOptions): Present {
  const { shape } = schema;
  switch (shape.kind) {
    case "array":
    case "iterable": {
      const element = toStored(shape.element, path, options);
      return { type: { kind: "list", element }, convert: (value) => Array.from(iterable(value), element.convert) };
    }
    case "map": {
      if (shape.key.nullable)
        throw new PipelineError("bad_schema", `field "${path}" is a map with keys that may be null, which files cannot hold`);
      const key = toStored(shape.key, path, options);
      const value = toStored(shape.value, path, options);
      const convert: Convert = (map) => {
        if (!(map instanceof Map)) return wrong("a Map", map);
        return Array.from(map as Map<unknown, unknown>, ([k, v]) => ({ key: key.convert(k), value: value.convert(v) }));
      };
      return { type: { kind: "map", key, value }, convert };
    }
    case "row": {
      if (shape.fields.length === 0) throw new PipelineError("bad_schema", `"${path}" is a row without fields, which files cannot hold`);
      const fields = shape.fields.map(({ name, type }) => ({ name, ...toStored(type, path === "" ? name : `${path}.${name}`, options) }));
      const convert: Convert = (value) => {
        if (typeof value !== "object" || value === null) return wrong("an object", value);
        const row: Record<string, unknown> = {};
        for (const field of fields) row[field.name] = field.convert((value as Record<string, unknown>)[field.name]);
        return row;
      };
      return { type: { kind: "row", fields }, convert };
    }
    case "logical":
      return logical(shape, path, options);
    case "byte":
    case "int16":
    case "int32":
    case "int64":
    case "float":
    case "double":
    case "string":
    case "boolean":
    case "bytes":
      return { type: { kind: STORED_AS[shape.kind] }, convert: CHECKED[shape.kind] };
  }
}

function logical({ urn, representation, argument }: LogicalShape, path: string, options: StorageOptions): Present {
  const size = argument?.kind === "int32" ? argument.value : undefined;
  switch (urn) {
    case LOGICAL_TYPE.MILLIS_INSTANT:
      return { type: { kind: "instant", unit: "millis" }, convert: in64Bits((value) => millisInstantToFile(number(value))) };
    case LOGICAL_TYPE.MICROS_INSTANT:
      return { type: { kind: "instant", unit: "micros" }, convert: in64Bits(microsInstantToFile) };
    case LOGICAL_TYPE.TIMESTAMP:
      return { type: { kind: "instant", unit: unitOf(size ?? 9) }, convert: in64Bits(timestampToFile(size ?? 9)) };
    case LOGICAL_TYPE.DATE:
      return { type: { kind: "date" }, convert: CHECKED.int32 };
    case LOGICAL_TYPE.DECIMAL: {
      const unscaled = unscaledAt(options.decimal);
      const convert: Convert = options.decimalBytes ? (value) => signedBytes(unscaled(value)) : unscaled;
      return { type: { kind: "decimal", ...options.decimal }, convert };
    }
    case LOGICAL_TYPE.FIXED_BYTES:
      if (size === undefined || size === 0) return present(representation, path, options);
      return { type: { kind: "fixed", length: size }, convert: (value) => padded(notLonger(CHECKED.bytes(value), size), size) };
    case LOGICAL_TYPE.VAR_BYTES:
      return { type: { kind: "bytes" }, convert: (value) => notLonger(CHECKED.bytes(value), size) };
    case LOGICAL_TYPE.FIXED_CHAR:
      return { type: { kind: "string" }, convert: (value) => notLonger(CHECKED.string(value), size).padEnd(size ?? 0) };
    case LOGICAL_TYPE.VAR_CHAR:
      return { type: { kind: "string" }, convert: (value) => notLonger(CHECKED.string(value), size) };
    default:
      return present(representation, path, options);
  }
}

const STORED_AS = {
  byte: "int32",
  int16: "int32",
  int32: "int32",
  int64: "int64",
  float: "float",
  double: "double",
  string: "string",
  boolean: "boolean",
  bytes: "bytes",
} as const satisfies Record<AtomicKind, AtomicStoredKind>;

const CHECKED = {
  byte: whole(-128, 127),
  int16: whole(-32_768, 32_767),
  int32: whole(-2_147_483_648, 2_147_483_647),
  int64: in64Bits((value) => (typeof value === "bigint" ? value : wrong("a bigint", value))),
  float: number,
  double: number,
  string: (value: unknown): string => (typeof value === "string" ? value : wrong("a string", value)),
  boolean: (value: unknown): boolean => (typeof value === "boolean" ? value : wrong("true or false", value)),
  bytes: (value: unknown): Buffer =>
    value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : wrong("a Uint8Array", value),
};

function number(value: unknown): number {
  return typeof value === "number" ? value : wrong("a number", value);
}

function whole(min: number, max: number): (value: unknown) => number {
  return (value) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return wrong(`a whole number from ${min} to ${max}`, value);
  };
}

function in64Bits(convert: (value: unknown) => bigint): (value: unknown) => bigint {
  return (value) => {
    const converted = convert(value);
    if (converted >= -0x8000_0000_0000_0000n && converted <= 0x7fff_ffff_ffff_ffffn) return converted;
    return wrong("what 64 bits hold", value);
  };
}

function notLonger<T extends { readonly length: number }>(value: T, max: number | undefined): T {
  return max === undefined || value.length <= max ? value : wrong(`a length up to ${max}`, value);
}

function padded(bytes: Buffer, length: number): Buffer {
  return bytes.length === length ? bytes : Buffer.concat([bytes], length);
}

function iterable(value: unknown): Iterable<unknown> {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return value as Iterable<unknown>;
  return wrong("an array", value);
}

function wrong(expected: string, value: unknown): never {
  throw new RangeError(`expected ${expected}, got ${renderElement(value)}`);
}
