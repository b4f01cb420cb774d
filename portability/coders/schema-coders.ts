// From a schema message to the coder of its rows.
import { beam } from "../protos/index.js";
import { boolCoder } from "./bool-coder.js";
import { bytesCoder } from "./bytes-coder.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { doubleCoder } from "./double-coder.js";
import {
  byteField,
  decimalField,
  fixedBytesField,
  fixedCharField,
  floatField,
  int16Field,
  int32Field,
  mapField,
  millisInstantField,
} from "./field-coders.js";
import { iterableCoder } from "./iterable-coder.js";
import { nullableCoder } from "./nullable-coder.js";
import { RowCoder } from "./row-coder.js";
import { utf8Coder } from "./utf8-coder.js";
import { varintBigIntCoder } from "./varint-coder.js";

const { AtomicType } = beam.pipeline;

/** Deepest nesting of types: a bound for hostile schemas. */
const MAX_DEPTH = 100;

/**
 * The coder of rows of a schema. int64 fields are bigint, maps are Map, nested rows are objects; values of logical types
 * are those of their representation, except `millis_instant` (a number) and `decimal`.
 *
 * @throws CoderError for a type that is missing or not known
 */
export function rowCoder(schema: beam.pipeline.ISchema): RowCoder {
  return rowCoderAt(schema, 0);
}

function rowCoderAt(schema: beam.pipeline.ISchema, depth: number): RowCoder {
  const fields = (schema.fields ?? []).map((field, i) => ({
    name: field.name ?? `field${i}`,
    nullable: field.type?.nullable === true,
    coder: valueCoder(field.type, depth + 1),
    position: schema.encodingPositionsSet === true ? (field.encodingPosition ?? 0) : i,
  }));
  const isStatic = (schema.options ?? []).some(({ name, value }) => name === STATIC_ENCODING && value?.atomicValue?.boolean === true);
  return new RowCoder(fields, beam.pipeline.Schema.encode(schema).finish(), isStatic);
}

const STATIC_ENCODING = "beam:option:row:static_encoding";

/** The coder of values of a type that are not null. */
function valueCoder(type: beam.pipeline.IFieldType | null | undefined, depth: number): Coder<unknown> {
  if (depth > MAX_DEPTH) throw new CoderError(`a schema is nested more than ${MAX_DEPTH} deep`);
  if (type?.atomicType) return atomicCoder(type.atomicType);
  if (type?.arrayType) return erase(iterableCoder(elementCoder(type.arrayType.elementType, depth)));
  if (type?.iterableType) return erase(iterableCoder(elementCoder(type.iterableType.elementType, depth)));
  if (type?.mapType) return erase(mapField(elementCoder(type.mapType.keyType, depth), elementCoder(type.mapType.valueType, depth)));
  if (type?.rowType) return erase(rowCoderAt(type.rowType.schema ?? {}, depth + 1));
  if (type?.logicalType) return logicalCoder(type.logicalType, depth);
  throw new CoderError("a field of a schema has no type");
}

function elementCoder(type: beam.pipeline.IFieldType | null | undefined, depth: number): Coder<unknown> {
  const coder = valueCoder(type, depth + 1);
  return type?.nullable === true ? erase(nullableCoder(coder)) : coder;
}

function atomicCoder(type: beam.pipeline.AtomicType): Coder<unknown> {
  switch (type) {
    case AtomicType.BYTE:
      return erase(byteField);
    case AtomicType.INT16:
      return erase(int16Field);
    case AtomicType.INT32:
      return erase(int32Field);
    case AtomicType.INT64:
      return erase(varintBigIntCoder);
    case AtomicType.FLOAT:
      return erase(floatField);
    case AtomicType.DOUBLE:
      return erase(doubleCoder);
    case AtomicType.STRING:
      return erase(utf8Coder);
    case AtomicType.BOOLEAN:
      return erase(boolCoder);
    case AtomicType.BYTES:
      return erase(bytesCoder);
    default:
      throw new CoderError(`atomic type ${type} is not known`);
  }
}

function logicalCoder(type: beam.pipeline.ILogicalType, depth: number): Coder<unknown> {
  const length = type.argument?.atomicValue?.int32 ?? 0;
  switch (type.urn) {
    case "beam:logical_type:millis_instant:v1":
      return erase(millisInstantField);
    case "beam:logical_type:decimal:v1":
      return erase(decimalField);
    case "beam:logical_type:fixed_bytes:v1":
      return erase(fixedBytesField(length));
    case "beam:logical_type:fixed_char:v1":
      return erase(fixedCharField(length));
    default:
      // Known or not, a logical type travels as its representation, and that is what is passed on.
      return valueCoder(type.representation, depth + 1);
  }
}

function erase<T>(coder: Coder<T>): Coder<unknown> {
  return coder as Coder<unknown>;
}

/**
 * `beam:coder:schema:v1`: the bytes of a row. The functions between rows and the SDK's own type are the SDK's alone, so
 * the payload is kept and rows are what is decoded to.
 */
export function schemaCoder(payload: Uint8Array): Coder<Readonly<Record<string, unknown>>> {
  const { schema } = beam.pipeline.SchemaCoderPayload.decode(payload);
  const rows = rowCoder(schema ?? {});
  return {
    urn: "beam:coder:schema:v1",
    components: [],
    payload,
    deterministic: rows.deterministic,
    encode: (value, writer) => rows.encode(value, writer),
    decode: (reader, nested) => rows.decode(reader, nested),
  };
}
