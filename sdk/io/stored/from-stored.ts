// From what a file stores to the values of a schema. Fields are matched by name, and numbers widened, as Avro does it for every format:
// a field that is not in the file is null if it may be; one that may be null in the file and not in the schema is read until there is one.
import type { AtomicKind, LogicalShape, RowShape, Schema } from "../../../portability/schemas/index.js";
import { LOGICAL_TYPE } from "../../../portability/urns/index.js";
import { unscaledOf } from "./decimals.js";
import { microsInstantFromFile, millisInstantFromFile, timestampFromFile } from "./instants.js";
import { describe, type MapType, type Stored, type StoredField, type StoredType } from "./stored-type.js";

export type FromStored = (value: unknown) => unknown;

/** Of values that are what the schema wants already. */
const same: FromStored = (value) => value;
/** The same, where a library may say undefined for null. */
const sameOrNull: FromStored = (value) => value ?? null;

/** Whether values need no more than undefined made null: a caller may do that itself, without a call. */
export const needsNoCall = (convert: FromStored): boolean => convert === same || convert === sameOrNull;

/**
 * @throws RangeError naming the field, at once where no value can fit, and by the function for a value that does not
 */
export function fromStored(stored: Stored, wanted: Schema<unknown>, path: string): FromStored {
  const convert = presentFromStored(stored.type, wanted, path);
  if (!stored.nullable) return convert;
  const { nullable } = wanted;
  if (nullable && convert === same) return sameOrNull;
  return (value) => {
    if (value !== null && value !== undefined) return convert(value);
    if (nullable) return null;
    throw new RangeError(`field "${path}" is null, which the schema does not allow; make it nullable there`);
  };
}

/** The fields of a row, in the order of the schema. */
export function fieldsFromStored(
  stored: readonly StoredField[],
  { fields }: RowShape,
  path: string,
): readonly { readonly name: string; readonly inFile: boolean; readonly convert: FromStored }[] {
  return fields.map(({ name, type }) => {
    const fieldPath = path === "" ? name : `${path}.${name}`;
    const found = stored.find((field) => field.name === name);
    if (found !== undefined) return { name, inFile: true, convert: fromStored(found, type, fieldPath) };
    if (type.nullable) return { name, inFile: false, convert: () => null };
    throw new RangeError(`field "${fieldPath}" is not in the file; there are ${stored.map((field) => field.name).join(", ")}`);
  });
}

function presentFromStored(type: StoredType, wanted: Schema<unknown>, path: string): FromStored {
  const { shape } = wanted;
  switch (shape.kind) {
    case "array":
    case "iterable": {
      if (type.kind !== "list") break;
      const element = fromStored(type.element, shape.element, path);
      return element === same ? same : (value) => (value as unknown[]).map(element);
    }
    case "map":
      if (type.kind === "map") return mapFromStored(type, fromStored(type.key, shape.key, path), fromStored(type.value, shape.value, path));
      break;
    case "row": {
      if (type.kind !== "row") break;
      const fields = fieldsFromStored(type.fields, shape, path);
      return (value) => {
        const row: Record<string, unknown> = {};
        for (const { name, convert } of fields) row[name] = convert((value as Record<string, unknown>)[name]);
        return row;
      };
    }
    case "logical":
      return logicalFromStored(type, shape, path);
    case "byte":
    case "int16":
    case "int32":
    case "int64":
    case "float":
    case "double":
    case "string":
    case "boolean":
    case "bytes": {
      const convert = ATOMIC[shape.kind][type.kind];
      if (convert !== undefined) return named(convert, path);
    }
  }
  throw unfit(type, shape.kind, path);
}

function mapFromStored({ names = { key: "key", value: "value", entries: "" } }: MapType, key: FromStored, value: FromStored): FromStored {
  const entriesOf = (map: unknown): readonly Readonly<Record<string, unknown>>[] =>
    (names.entries === "" ? map : (map as Record<string, unknown>)[names.entries]) as readonly Readonly<Record<string, unknown>>[];
  return (map) => new Map(entriesOf(map).map((entry) => [key(entry[names.key]), value(entry[names.value])]));
}

function logicalFromStored(type: StoredType, { urn, representation, argument }: LogicalShape, path: string): FromStored {
  const size = argument?.kind === "int32" ? argument.value : undefined;
  switch (urn) {
    case LOGICAL_TYPE.MILLIS_INSTANT:
      if (type.kind === "instant") return millisInstantFromFile(type.unit);
      break;
    case LOGICAL_TYPE.MICROS_INSTANT:
      if (type.kind === "instant") return microsInstantFromFile(type.unit);
      break;
    case LOGICAL_TYPE.TIMESTAMP:
      if (type.kind === "instant") return timestampFromFile(type.unit, size ?? 9);
      break;
    case LOGICAL_TYPE.DATE:
      if (type.kind === "date") return same;
      break;
    case LOGICAL_TYPE.DECIMAL: {
      if (type.kind !== "decimal") break;
      const { scale } = type;
      return (value) => ({ unscaled: unscaledOf(value), scale });
    }
    case LOGICAL_TYPE.FIXED_BYTES:
    case LOGICAL_TYPE.VAR_BYTES:
    case LOGICAL_TYPE.FIXED_CHAR:
    case LOGICAL_TYPE.VAR_CHAR: {
      const convert = presentFromStored(type, representation, path);
      return named((value) => notLonger(convert(value) as { length: number }, size), path);
    }
    default:
      return presentFromStored(type, representation, path);
  }
  throw unfit(type, urn.split(":").at(-2) ?? urn, path);
}

const big: FromStored = (value) => (typeof value === "bigint" ? value : BigInt(value as number));
/** The bytes of a file are a view of a block, which must not live as long as they do. */
const ownBytes: FromStored = (value) => new Uint8Array(value as Uint8Array);
const text: FromStored = (value) => Buffer.from(value as Uint8Array).toString();

/** What a file may have where a schema has an atomic type. */
const ATOMIC: Readonly<Record<AtomicKind, Partial<Record<StoredType["kind"], FromStored>>>> = {
  byte: { int32: between(-128, 127) },
  int16: { int32: between(-32_768, 32_767) },
  int32: { int32: same },
  int64: { int64: big, int32: big },
  float: { float: same, int32: same, int64: Number },
  double: { double: same, float: same, int32: same, int64: Number },
  string: { string: same, bytes: text },
  boolean: { boolean: same },
  bytes: { bytes: ownBytes, fixed: ownBytes, string: (value) => new Uint8Array(Buffer.from(value as string)) },
};

function between(min: number, max: number): FromStored {
  return (value) => {
    if ((value as number) >= min && (value as number) <= max) return value;
    throw new RangeError(`expected a whole number from ${min} to ${max}, got ${String(value)}`);
  };
}

function notLonger<T extends { readonly length: number }>(value: T, max: number | undefined): T {
  if (max === undefined || value.length <= max) return value;
  throw new RangeError(`expected a length up to ${max}, got ${value.length}`);
}

/** Functions that never fail are left as they are. */
function named(convert: FromStored, path: string): FromStored {
  if (convert === same || convert === big || convert === ownBytes || convert === text) return convert;
  return (value) => {
    try {
      return convert(value);
    } catch (cause) {
      throw new RangeError(`field "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
}

function unfit(type: StoredType, wanted: string, path: string): RangeError {
  return new RangeError(`field "${path}" is ${describe(type)} in the file, which cannot be read as the schema's ${wanted}`);
}
