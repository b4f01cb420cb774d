// From schemas to the coders of their rows.
//
// Values: int64 is bigint; smaller integers, floats and doubles are numbers; maps are Map; nested rows are objects; instants in
// milliseconds and dates are numbers. Values of a logical type that is not known are those of its representation.
import { beam } from "../protos/index.js";
import { LOGICAL_TYPE } from "../urns/index.js";
import type { LogicalShape, RowShape, RowSchema, Schema } from "../schemas/index.js";
import { boolCoder } from "./bool-coder.js";
import { bytesCoder } from "./bytes-coder.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { doubleCoder } from "./double-coder.js";
import {
  byteField,
  dateField,
  decimalField,
  fixedBytesField,
  fixedCharField,
  floatField,
  int16Field,
  int32Field,
  mapField,
  millisInstantField,
  varBytesField,
  varCharField,
} from "./field-coders.js";
import { iterableCoder } from "./iterable-coder.js";
import { nullableCoder } from "./nullable-coder.js";
import { RowCoder } from "./row-coder.js";
import { schemaFromProto, schemaToProto } from "./schema-proto.js";
import { utf8Coder } from "./utf8-coder.js";
import { varintBigIntCoder } from "./varint-coder.js";

/**
 * The coder of the rows of a schema: `beam:coder:row:v1`, deterministic unless a field has floating point or a map.
 *
 * @example
 * ```ts
 * const Visit = schema.row({ user: schema.string, seconds: schema.int32 });
 * p.apply(create([{ user: "a", seconds: 3 }])).apply(withCoder(coderOf(Visit)));
 * ```
 */
export function coderOf<T>(schema: RowSchema<T>): Coder<T> {
  return rowCoderOf<T>(schema.shape, beam.pipeline.Schema.encode(schemaToProto(schema)).finish());
}

/**
 * `beam:coder:row:v1` of a payload, which is a `Schema` message.
 * @throws CoderError for a payload that is not one, and for types that are not known
 * @example
 * ```ts
 * const coder = rowCoderFromPayload(coderOf(Order).payload!);
 * ```
 */
export function rowCoderFromPayload(payload: Uint8Array): Coder<Readonly<Record<string, unknown>>> {
  return rowCoderOf(schemaFromProto(parsed("Schema", () => beam.pipeline.Schema.decode(payload))).shape, payload);
}

/**
 * The schema of the rows that a coder is for, or undefined where it is for something else.
 *
 * @example
 * ```ts
 * const fields = rowSchemaOf(coderOf(Order))?.shape.fields.map(({ name }) => name);
 * ```
 */
export function rowSchemaOf(coder: Coder<unknown>): RowSchema<Readonly<Record<string, unknown>>> | undefined {
  if (!(coder instanceof RowCoder)) return undefined;
  return schemaFromProto(beam.pipeline.Schema.decode(coder.payload));
}

/**
 * The coder of values of a type, where they stand alone and not in a row.
 *
 * @example `const coder = kvCoder(coderOfType(schema.int64), coderOf(Order))`
 */
export function coderOfType<T>(type: Schema<T>): Coder<T> {
  return elementCoder(type) as Coder<T>;
}

/**
 * `beam:coder:schema:v1` of a payload, which is a `SchemaCoderPayload` message: the bytes of a row. The functions between rows and the
 * SDK's own type are the SDK's alone, so rows are what is decoded to.
 * @throws CoderError as for rows
 * @example
 * ```ts
 * const payload = beam.pipeline.SchemaCoderPayload.encode({ schema: schemaToProto(Order) }).finish();
 * const coder = schemaCoderFromPayload(payload);
 * ```
 */
export function schemaCoderFromPayload(payload: Uint8Array): Coder<Readonly<Record<string, unknown>>> {
  const { schema } = parsed("SchemaCoderPayload", () => beam.pipeline.SchemaCoderPayload.decode(payload));
  const rows = rowCoderOf<Readonly<Record<string, unknown>>>(schemaFromProto(schema ?? {}).shape, payload);
  return {
    urn: "beam:coder:schema:v1",
    components: [],
    payload,
    deterministic: rows.deterministic,
    encode: (value, writer) => rows.encode(value, writer),
    decode: (reader, nested) => rows.decode(reader, nested),
  };
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new CoderError(`the payload of a coder is not a ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function rowCoderOf<T>({ fields, staticEncoding }: RowShape, payload: Uint8Array): RowCoder<T> {
  const rowFields = fields.map(({ name, type, encodingPosition }) => {
    return { name, nullable: type.nullable, coder: presentCoder(type), position: encodingPosition };
  });
  return new RowCoder<T>(rowFields, payload, staticEncoding);
}

const NO_PAYLOAD = new Uint8Array();

/** The coder of the values of a type that are not null: rows say elsewhere which are. */
function presentCoder({ shape }: Schema<unknown>): Coder<unknown> {
  switch (shape.kind) {
    case "byte":
      return erase(byteField);
    case "int16":
      return erase(int16Field);
    case "int32":
      return erase(int32Field);
    case "int64":
      return erase(varintBigIntCoder);
    case "float":
      return erase(floatField);
    case "double":
      return erase(doubleCoder);
    case "string":
      return erase(utf8Coder);
    case "boolean":
      return erase(boolCoder);
    case "bytes":
      return erase(bytesCoder);
    case "array":
    case "iterable":
      return erase(iterableCoder(elementCoder(shape.element)));
    case "map":
      return erase(mapField(elementCoder(shape.key), elementCoder(shape.value)));
    case "row":
      return erase(rowCoderOf(shape, NO_PAYLOAD));
    case "logical":
      return logicalCoder(shape);
  }
}

/** The coder of values inside containers, which say of each whether it is null. */
function elementCoder(type: Schema<unknown>): Coder<unknown> {
  return type.nullable ? erase(nullableCoder(presentCoder(type))) : presentCoder(type);
}

function logicalCoder({ urn, representation, argument }: LogicalShape): Coder<unknown> {
  const length = argument?.kind === "int32" ? argument.value : undefined;
  switch (urn) {
    case LOGICAL_TYPE.MILLIS_INSTANT:
      return erase(millisInstantField);
    case LOGICAL_TYPE.DATE:
      return erase(dateField);
    case LOGICAL_TYPE.DECIMAL:
      return erase(decimalField);
    case LOGICAL_TYPE.FIXED_BYTES:
      return length === undefined ? presentCoder(representation) : erase(fixedBytesField(length));
    case LOGICAL_TYPE.VAR_BYTES:
      return length === undefined ? presentCoder(representation) : erase(varBytesField(length));
    case LOGICAL_TYPE.FIXED_CHAR:
      return length === undefined ? presentCoder(representation) : erase(fixedCharField(length));
    case LOGICAL_TYPE.VAR_CHAR:
      return length === undefined ? presentCoder(representation) : erase(varCharField(length));
    default:
      return presentCoder(representation);
  }
}

function erase(coder: unknown): Coder<unknown> {
  return coder as Coder<unknown>;
}
