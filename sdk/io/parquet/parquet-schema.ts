// Parquet's schemas, a list of elements in the order of a tree, to and from the types that files store.
import type { SchemaElement, SchemaTree } from "hyparquet";
import type { InstantUnit, Stored, StoredField, StoredType } from "../stored/stored-type.js";

type Unnamed = Omit<SchemaElement, "name" | "repetition_type">;

/** The elements of a file's schema. */
export function toParquetSchema(fields: readonly StoredField[]): SchemaElement[] {
  return [{ name: "schema", num_children: fields.length }, ...fields.flatMap((field) => elements(field.name, field))];
}

function elements(name: string, { type, nullable }: Stored): SchemaElement[] {
  const own = { name, repetition_type: nullable ? "OPTIONAL" : "REQUIRED" } as const;
  if (type.kind === "list")
    return [
      { ...own, converted_type: "LIST", logical_type: { type: "LIST" }, num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...elements("element", type.element),
    ];
  if (type.kind === "map")
    return [
      { ...own, converted_type: "MAP", logical_type: { type: "MAP" }, num_children: 1 },
      { name: "key_value", repetition_type: "REPEATED", num_children: 2 },
      ...elements("key", type.key),
      ...elements("value", type.value),
    ];
  if (type.kind === "row")
    return [{ ...own, num_children: type.fields.length }, ...type.fields.flatMap((field) => elements(field.name, field))];
  return [{ ...own, ...leaf(type) }];
}

function leaf(type: Exclude<StoredType, { readonly kind: "list" | "map" | "row" }>): Unnamed {
  switch (type.kind) {
    case "boolean":
      return { type: "BOOLEAN" };
    case "int32":
      return { type: "INT32" };
    case "int64":
      return { type: "INT64" };
    case "float":
      return { type: "FLOAT" };
    case "double":
      return { type: "DOUBLE" };
    case "string":
      return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "bytes":
      return { type: "BYTE_ARRAY" };
    case "fixed":
      return { type: "FIXED_LEN_BYTE_ARRAY", type_length: type.length };
    case "date":
      return { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "instant": {
      const unit = type.unit.toUpperCase() as Uppercase<InstantUnit>;
      const logical_type = { type: "TIMESTAMP", isAdjustedToUTC: true, unit } as const;
      return unit === "NANOS" ? { type: "INT64", logical_type } : { type: "INT64", logical_type, converted_type: `TIMESTAMP_${unit}` };
    }
    case "decimal": {
      const { precision, scale } = type;
      const logical_type = { type: "DECIMAL", precision, scale } as const;
      return {
        type: "FIXED_LEN_BYTE_ARRAY",
        type_length: decimalBytes(precision),
        converted_type: "DECIMAL",
        precision,
        scale,
        logical_type,
      };
    }
    case "other":
      throw new RangeError(`Parquet cannot hold ${type.name}`);
  }
}

/** Bytes that hold a sign and this many digits. */
function decimalBytes(precision: number): number {
  return Math.ceil((Math.log2(10) * precision + 1) / 8);
}

/** What a file stores in the columns of a group. */
export function fromParquetSchema({ children }: SchemaTree): readonly StoredField[] {
  return children.map((child) => ({ name: child.element.name, ...storedOf(child) }));
}

function storedOf(node: SchemaTree): Stored {
  const { repetition_type } = node.element;
  if (repetition_type === "REPEATED") return { type: { kind: "list", element: { type: typeOf(node), nullable: false } }, nullable: false };
  return { type: typeOf(node), nullable: repetition_type === "OPTIONAL" };
}

function typeOf({ element, children }: SchemaTree): StoredType {
  if (children.length === 0) return leafType(element);
  const annotation = element.logical_type?.type ?? element.converted_type;
  const [repeated] = children;
  if (annotation === "LIST") {
    if (repeated.children.length > 1) return { kind: "other", name: "a list without an element group" };
    const [item] = repeated.children.length === 1 ? repeated.children : [repeated];
    return { kind: "list", element: { type: typeOf(item), nullable: item.element.repetition_type === "OPTIONAL" } };
  }
  if (annotation === "MAP" || annotation === "MAP_KEY_VALUE") {
    const [key, value] = repeated.children;
    if (value === undefined) return { kind: "other", name: "a map without values" };
    const names = { key: key.element.name, value: value.element.name, entries: repeated.element.name };
    return { kind: "map", key: storedOf(key), value: storedOf(value), names };
  }
  if (annotation === "VARIANT") return { kind: "other", name: "a variant" };
  return { kind: "row", fields: children.map((child) => ({ name: child.element.name, ...storedOf(child) })) };
}

function leafType(element: SchemaElement): StoredType {
  const { type, type_length = 0, converted_type, logical_type, precision = 0, scale = 0 } = element;
  const annotation = logical_type?.type ?? converted_type;
  if (converted_type === "DECIMAL" || logical_type?.type === "DECIMAL") return { kind: "decimal", precision, scale };
  if (logical_type?.type === "TIMESTAMP") return { kind: "instant", unit: logical_type.unit.toLowerCase() as InstantUnit };
  if (converted_type === "TIMESTAMP_MILLIS") return { kind: "instant", unit: "millis" };
  if (converted_type === "TIMESTAMP_MICROS") return { kind: "instant", unit: "micros" };
  if (annotation === "DATE") return { kind: "date" };
  if (annotation === "FLOAT16") return { kind: "float" };
  switch (type) {
    case "BOOLEAN":
      return { kind: "boolean" };
    case "INT32":
      return { kind: isUnsigned(element, 32) ? "int64" : "int32" };
    case "INT64":
      return isUnsigned(element, 64) ? { kind: "other", name: "an unsigned 64-bit integer" } : { kind: "int64" };
    case "INT96":
      return { kind: "instant", unit: "nanos" };
    case "FLOAT":
      return { kind: "float" };
    case "DOUBLE":
      return { kind: "double" };
    case "BYTE_ARRAY":
      return { kind: isText(element) ? "string" : "bytes" };
    case "FIXED_LEN_BYTE_ARRAY":
      return { kind: "fixed", length: type_length };
    case undefined:
      return { kind: "other", name: "a group without columns" };
  }
}

function isText({ converted_type, logical_type }: SchemaElement): boolean {
  return ["STRING", "ENUM", "JSON"].includes(logical_type?.type ?? "") || ["UTF8", "ENUM", "JSON"].includes(converted_type ?? "");
}

function isUnsigned({ converted_type, logical_type }: SchemaElement, bits: 32 | 64): boolean {
  if (logical_type?.type === "INTEGER") return logical_type.bitWidth === bits && !logical_type.isSigned;
  return converted_type === `UINT_${bits}`;
}

/**
 * An element as hyparquet is to read it: numbers, texts and bytes as they are stored, since its dates, decimals and maps would lose what
 * they cannot hold. Maps so become groups with a list of entries.
 */
export function withoutConversion(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type, ...plain } = element;
  if (isText(element)) return { ...plain, converted_type: "UTF8" };
  if (converted_type === "LIST" || logical_type?.type === "LIST") return { ...plain, converted_type: "LIST" };
  if (isUnsigned(element, 32)) return { ...plain, converted_type: "UINT_32" };
  return logical_type?.type === "FLOAT16" ? { ...plain, logical_type } : plain;
}
