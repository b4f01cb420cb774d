// Avro's schemas, which are JSON, to and from the types that files store.
import { PipelineError } from "../../../portability/stage-host/index.js";
import type { InstantUnit, Stored, StoredField, StoredType } from "../stored/stored-type.js";

/** A schema as it stands in a file. */
export type AvroSchema = string | readonly AvroSchema[] | { readonly [name: string]: unknown };
type Definition = Readonly<Record<string, unknown>>;

const ATOMIC = {
  boolean: "boolean",
  int32: "int",
  int64: "long",
  float: "float",
  double: "double",
  string: "string",
  bytes: "bytes",
} as const;
const STORED = {
  boolean: "boolean",
  int: "int32",
  long: "int64",
  float: "float",
  double: "double",
  string: "string",
  bytes: "bytes",
} as const;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * @param name of the record, or of what of this type needs a name
 * @throws PipelineError for names that Avro does not allow
 */
export function toAvroSchema({ type, nullable }: Stored, name: string): AvroSchema {
  return nullable ? ["null", presentSchema(type, name)] : presentSchema(type, name);
}

function presentSchema(type: StoredType, name: string): AvroSchema {
  switch (type.kind) {
    case "date":
      return { type: "int", logicalType: "date" };
    case "instant":
      return { type: "long", logicalType: `timestamp-${type.unit}` };
    case "decimal":
      return { type: "bytes", logicalType: "decimal", precision: type.precision, scale: type.scale };
    case "fixed":
      return { type: "fixed", name, size: type.length };
    case "list":
      return { type: "array", items: toAvroSchema(type.element, `${name}_element`) };
    case "map":
      // Keys of Avro's maps are strings.
      if (type.key.type.kind === "string") return { type: "map", values: toAvroSchema(type.value, `${name}_value`) };
      return {
        type: "array",
        logicalType: "map",
        items: entry(name, toAvroSchema(type.key, `${name}_key`), toAvroSchema(type.value, `${name}_value`)),
      };
    case "row":
      return {
        type: "record",
        name,
        fields: type.fields.map((field) => ({ name: checked(field.name), type: toAvroSchema(field, `${name}_${field.name}`) })),
      };
    case "other":
      throw new PipelineError("bad_schema", `Avro cannot hold ${type.name}`);
    case "boolean":
    case "int32":
    case "int64":
    case "float":
    case "double":
    case "string":
    case "bytes":
      return ATOMIC[type.kind];
  }
}

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new PipelineError("bad_schema", `"${name}" is no name for a field in Avro; use letters, digits and "_", and no digit first`);
}

function entry(name: string, key: AvroSchema, value: AvroSchema): AvroSchema {
  return {
    type: "record",
    name: `${name}_entry`,
    fields: [
      { name: "key", type: key },
      { name: "value", type: value },
    ],
  };
}

/** What a file stores, by its schema. Fields are looked at when they are asked for, since types may contain themselves. */
export function fromAvroSchema(schema: AvroSchema): Stored {
  const named = new Map<string, { definition: Definition; namespace: string }>();
  collectNames(schema, "", named);
  return stored(schema, "");

  function stored(node: AvroSchema, namespace: string): Stored {
    if (isUnion(node)) {
      const present = node.filter((branch) => branch !== "null");
      const nullable = present.length < node.length;
      if (present.length === 1) return { ...stored(present[0], namespace), nullable };
      return { type: { kind: "other", name: "a union of several types" }, nullable };
    }
    if (typeof node !== "string") return { type: defined(node, namespace), nullable: false };
    if (node in STORED) return { type: { kind: STORED[node as keyof typeof STORED] }, nullable: false };
    const found = named.get(node.includes(".") || namespace === "" ? node : `${namespace}.${node}`) ?? named.get(node);
    return { type: found === undefined ? { kind: "other", name: node } : defined(found.definition, found.namespace), nullable: false };
  }

  function defined(node: Definition, namespace: string): StoredType {
    const { type, logicalType } = node;
    switch (type) {
      case "record":
      case "error": {
        const inside = namespaceOf(node, namespace);
        const fields = node["fields"] as readonly { name: string; type: AvroSchema }[];
        return {
          kind: "row",
          get fields(): readonly StoredField[] {
            return fields.map((field) => ({ name: field.name, ...stored(field.type, inside) }));
          },
        };
      }
      case "enum":
        return { kind: "string" };
      case "fixed":
        if (logicalType === "decimal") return decimal(node);
        return { kind: "fixed", length: node["size"] as number };
      case "array": {
        const element = stored(node["items"] as AvroSchema, namespace);
        if (logicalType !== "map" || element.type.kind !== "row") return { kind: "list", element };
        const [key, value] = element.type.fields;
        return { kind: "map", key, value };
      }
      case "map":
        return { kind: "map", key: { type: { kind: "string" }, nullable: false }, value: stored(node["values"] as AvroSchema, namespace) };
      case "bytes":
        return logicalType === "decimal" ? decimal(node) : { kind: "bytes" };
      case "int":
        return { kind: logicalType === "date" ? "date" : "int32" };
      case "long": {
        const instant = /^(?:local-)?timestamp-(millis|micros|nanos)$/.exec(String(logicalType));
        return instant === null ? { kind: "int64" } : { kind: "instant", unit: instant[1] as InstantUnit };
      }
      default:
        return stored(type as AvroSchema, namespace).type;
    }
  }
}

function decimal(node: Definition): StoredType {
  return { kind: "decimal", precision: Number(node["precision"]), scale: Number(node["scale"] ?? 0) };
}

function isUnion(node: AvroSchema): node is readonly AvroSchema[] {
  return Array.isArray(node);
}

function fullName(node: Definition, namespace: string): string {
  const name = String(node["name"]);
  const own = typeof node["namespace"] === "string" ? node["namespace"] : namespace;
  return name.includes(".") || own === "" ? name : `${own}.${name}`;
}

function namespaceOf(node: Definition, namespace: string): string {
  return fullName(node, namespace).split(".").slice(0, -1).join(".");
}

function collectNames(node: AvroSchema, namespace: string, named: Map<string, { definition: Definition; namespace: string }>): void {
  if (typeof node === "string") return;
  if (isUnion(node)) return node.forEach((branch) => collectNames(branch, namespace, named));
  if (node["name"] !== undefined) named.set(fullName(node, namespace), { definition: node, namespace });
  const inside = node["name"] === undefined ? namespace : namespaceOf(node, namespace);
  const fields = (node["fields"] ?? []) as readonly { type: AvroSchema }[];
  for (const part of [node["type"], node["items"], node["values"], ...fields.map(({ type }) => type)])
    if (part !== undefined) collectNames(part as AvroSchema, inside, named);
}
