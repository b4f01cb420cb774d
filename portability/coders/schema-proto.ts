// Schemas as messages. What a message says and a schema type has no words for (options, arguments of unknown types) is kept as bytes,
// so that a schema comes back from a round trip as it was; numbers of fields and layout-irrelevant positions are not.
import { beam } from "../protos/index.js";
import type { AtomicKind, LogicalArgument, LogicalShape, RowShape, RowSchema, SchemaField, Schema } from "../schemas/index.js";
import { CoderError } from "./coder-error.js";

const { AtomicType } = beam.pipeline;

/** Deepest nesting of types: a bound for hostile schemas. */
const MAX_DEPTH = 100;
const STATIC_ENCODING = "beam:option:row:static_encoding";

const ATOMIC: Readonly<Record<AtomicKind, beam.pipeline.AtomicType>> = {
  byte: AtomicType.BYTE,
  int16: AtomicType.INT16,
  int32: AtomicType.INT32,
  int64: AtomicType.INT64,
  float: AtomicType.FLOAT,
  double: AtomicType.DOUBLE,
  string: AtomicType.STRING,
  boolean: AtomicType.BOOLEAN,
  bytes: AtomicType.BYTES,
};
const KIND = new Map(Object.entries(ATOMIC).map(([kind, type]) => [type, kind as AtomicKind]));

/**
 * The message of a schema.
 *
 * @example
 * ```ts
 * const names = schemaToProto(Order).fields?.map(({ name }) => name);
 * ```
 */
export function schemaToProto({ shape }: RowSchema<unknown>): beam.pipeline.ISchema {
  const moved = shape.fields.some(({ encodingPosition }, i) => encodingPosition !== i);
  const options = shape.options.map((option) => beam.pipeline.Option.decode(option) as beam.pipeline.IOption);
  if (shape.staticEncoding)
    options.push({ name: STATIC_ENCODING, type: { atomicType: AtomicType.BOOLEAN }, value: { atomicValue: { boolean: true } } });
  return {
    id: shape.id,
    encodingPositionsSet: moved,
    options,
    fields: shape.fields.map((field, id) => ({
      name: field.name,
      description: field.description,
      type: typeToProto(field.type),
      id,
      encodingPosition: field.encodingPosition,
      options: field.options.map((option) => beam.pipeline.Option.decode(option)),
    })),
  };
}

function typeToProto({ shape, nullable }: Schema<unknown>): beam.pipeline.IFieldType {
  switch (shape.kind) {
    case "array":
      return { nullable, arrayType: { elementType: typeToProto(shape.element) } };
    case "iterable":
      return { nullable, iterableType: { elementType: typeToProto(shape.element) } };
    case "map":
      return { nullable, mapType: { keyType: typeToProto(shape.key), valueType: typeToProto(shape.value) } };
    case "row":
      return { nullable, rowType: { schema: schemaToProto({ shape, nullable: false }) } };
    case "logical":
      return { nullable, logicalType: logicalToProto(shape) };
    case "byte":
    case "int16":
    case "int32":
    case "int64":
    case "float":
    case "double":
    case "string":
    case "boolean":
    case "bytes":
      return { nullable, atomicType: ATOMIC[shape.kind] };
  }
}

function logicalToProto({ urn, payload, representation, argument }: LogicalShape): beam.pipeline.ILogicalType {
  const common = { urn, payload, representation: typeToProto(representation) };
  if (argument === undefined) return common;
  if (argument.kind === "int32")
    return { ...common, argumentType: { atomicType: AtomicType.INT32 }, argument: { atomicValue: { int32: argument.value } } };
  return {
    ...common,
    argumentType: argument.type === undefined ? undefined : typeToProto(argument.type),
    argument: beam.pipeline.FieldValue.decode(argument.value),
  };
}

/**
 * The schema of a message.
 * @throws CoderError for a type that is missing or not known, or nested too deeply
 * @example
 * ```ts
 * const same = schemaFromProto(schemaToProto(Order));
 * ```
 */
export function schemaFromProto(schema: beam.pipeline.ISchema): RowSchema<Readonly<Record<string, unknown>>> {
  return { shape: rowShape(schema, 0), nullable: false };
}

function rowShape(schema: beam.pipeline.ISchema, depth: number): RowShape {
  const options = schema.options ?? [];
  const isStatic = (option: beam.pipeline.IOption): boolean =>
    option.name === STATIC_ENCODING && option.value?.atomicValue?.boolean === true;
  return {
    kind: "row",
    fields: (schema.fields ?? []).map((field, i): SchemaField => ({
      name: field.name ?? "",
      type: typeFromProto(field.type, depth + 1),
      description: field.description ?? "",
      encodingPosition: schema.encodingPositionsSet === true ? (field.encodingPosition ?? 0) : i,
      options: (field.options ?? []).map((option) => beam.pipeline.Option.encode(option).finish()),
    })),
    id: schema.id ?? "",
    staticEncoding: options.some(isStatic),
    options: options.filter((option) => !isStatic(option)).map((option) => beam.pipeline.Option.encode(option).finish()),
  };
}

function typeFromProto(type: beam.pipeline.IFieldType | null | undefined, depth: number): Schema<unknown> {
  if (depth > MAX_DEPTH) throw new CoderError(`a schema is nested more than ${MAX_DEPTH} deep`);
  const nullable = type?.nullable === true;
  if (type?.arrayType) return { nullable, shape: { kind: "array", element: typeFromProto(type.arrayType.elementType, depth + 1) } };
  if (type?.iterableType)
    return { nullable, shape: { kind: "iterable", element: typeFromProto(type.iterableType.elementType, depth + 1) } };
  if (type?.mapType) {
    const key = typeFromProto(type.mapType.keyType, depth + 1);
    return { nullable, shape: { kind: "map", key, value: typeFromProto(type.mapType.valueType, depth + 1) } };
  }
  if (type?.rowType) return { nullable, shape: rowShape(type.rowType.schema ?? {}, depth + 1) };
  if (type?.logicalType) return { nullable, shape: logicalShape(type.logicalType, depth) };
  const kind = KIND.get(type?.atomicType ?? AtomicType.UNSPECIFIED);
  if (kind === undefined)
    throw new CoderError(`a schema has a field without a type that is known (atomic type ${type?.atomicType ?? "unset"})`);
  return { nullable, shape: { kind } };
}

function logicalShape(type: beam.pipeline.ILogicalType, depth: number): LogicalShape {
  return {
    kind: "logical",
    urn: type.urn ?? "",
    payload: type.payload ?? new Uint8Array(),
    representation: typeFromProto(type.representation, depth + 1),
    argument: logicalArgument(type, depth),
  };
}

function logicalArgument({ argumentType, argument }: beam.pipeline.ILogicalType, depth: number): LogicalArgument | undefined {
  if (argument == null) return undefined;
  const int32 = argument.atomicValue?.int32;
  if (int32 != null && argumentType?.atomicType === AtomicType.INT32) return { kind: "int32", value: int32 };
  const type = argumentType == null ? undefined : typeFromProto(argumentType, depth + 1);
  return { kind: "encoded", type, value: beam.pipeline.FieldValue.encode(argument).finish() };
}
