// Between schemas and the validators of other libraries (zod, valibot, ArkType …), by the interfaces of https://standardschema.dev.
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { schema, type RowSchema, type Schema } from "../../portability/schemas/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { checkerOf } from "./check-rows.js";
import { schemaOfFields } from "./schema-of.js";

/**
 * A validator of the rows of a schema, for every library that takes one.
 *
 * @example
 * ```ts
 * const Visit = schema.row({ user: schema.string, seconds: schema.int32 });
 * const { issues } = await rows.toStandard(Visit)["~standard"].validate({ user: "a", seconds: 0.5 });
 * ```
 */
export function toStandard<T>(rowSchema: RowSchema<T>): StandardSchemaV1<unknown, T> {
  const check = checkerOf(rowSchema);
  return {
    "~standard": {
      version: 1,
      vendor: "beamstorm",
      validate(value) {
        const issues = check(value);
        return issues.length === 0 ? { value: value as T } : { issues };
      },
    },
  };
}

/** A row of what a validator puts out: what may be missing there is null here. */
export type RowOfOutput<O> = {
  readonly [K in keyof O]-?: undefined extends O[K] ? Exclude<O[K], undefined> | null : O[K];
};

/**
 * The schema of what a validator puts out, where its library tells it as JSON schema (zod from 4.2). Numbers become doubles, whole numbers
 * within 32 bits int32; what may be missing may be null.
 *
 * @throws PipelineError naming the field of which rows have no counterpart
 * @example
 * ```ts
 * const Visit = rows.schemaFrom(z.object({ user: z.string(), seconds: z.int32() }));
 * ```
 */
export function schemaFrom<S extends StandardJSONSchemaV1>(validator: S): RowSchema<RowOfOutput<StandardJSONSchemaV1.InferOutput<S>>> {
  const convert = (validator["~standard"] as Partial<StandardJSONSchemaV1.Props>).jsonSchema;
  if (convert === undefined)
    throw new PipelineError(
      "no_json_schema",
      `a validator of "${validator["~standard"].vendor}" does not tell its JSON schema; write the schema with schema.row() and check by rows.validate()`,
    );
  let json: JsonSchema;
  try {
    json = convert.output({ target: "draft-2020-12" });
  } catch (cause) {
    throw refused([], cause instanceof Error ? cause.message : String(cause));
  }
  const type = typeOf(json, []);
  if (type.shape.kind !== "row") throw refused([], `it is for ${type.shape.kind} and not for an object with fields`);
  return type as RowSchema<never>;
}

type JsonSchema = Readonly<Record<string, unknown>>;

function typeOf(json: JsonSchema, path: readonly string[]): Schema<unknown> {
  const { types, mayBeNull, rest } = withoutNull(json, path);
  const type = presentTypeOf(rest, types, path);
  return mayBeNull ? schema.nullable(type) : type;
}

/** Null is told in three ways: a type among others, an alternative, or `const`. */
function withoutNull(json: JsonSchema, path: readonly string[]): { types: readonly unknown[]; mayBeNull: boolean; rest: JsonSchema } {
  const alternatives = (json["anyOf"] ?? json["oneOf"]) as readonly JsonSchema[] | undefined;
  if (alternatives !== undefined) {
    const others = alternatives.filter(({ type }) => type !== "null");
    if (others.length !== 1) throw refused(path, "it may be of several types");
    const inner = withoutNull(others[0], path);
    return { ...inner, mayBeNull: inner.mayBeNull || others.length < alternatives.length };
  }
  const given = json["type"];
  const types: readonly unknown[] = Array.isArray(given) ? given : [given ?? typeOfValues(json)];
  return { types: types.filter((type) => type !== "null"), mayBeNull: types.includes("null"), rest: json };
}

/** An enum or a constant without a type. */
function typeOfValues(json: JsonSchema): string | undefined {
  const values = "const" in json ? [json["const"]] : ((json["enum"] as readonly unknown[] | undefined) ?? []);
  const types = new Set(values.map((value) => typeof value));
  return types.size === 1 ? [...types][0] : undefined;
}

function presentTypeOf(json: JsonSchema, types: readonly unknown[], path: readonly string[]): Schema<unknown> {
  if (types.length !== 1 || types[0] === undefined)
    throw refused(path, types.length > 1 ? "it may be of several types" : "its type is not told");
  switch (types[0]) {
    case "string":
      return schema.string;
    case "boolean":
      return schema.boolean;
    case "number":
      return schema.double;
    case "integer":
      return Number(json["minimum"]) >= -(2 ** 31) && Number(json["maximum"]) < 2 ** 31 ? schema.int32 : schema.double;
    case "array": {
      if (json["prefixItems"] !== undefined || typeof json["items"] !== "object") throw refused(path, "it is no array of one type");
      return schema.array(typeOf(json["items"] as JsonSchema, [...path, "[]"]));
    }
    case "object": {
      const properties = json["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
      if (properties === undefined) throw refused(path, "it is an object without fixed fields");
      const required = new Set(json["required"] as readonly string[] | undefined);
      const fields = Object.entries(properties).map(([name, each]) => {
        const type = typeOf(each, [...path, name]);
        return [name, required.has(name) ? type : schema.nullable(type)] as const;
      });
      return schemaOfFields(fields, "rows.schemaFrom");
    }
    default:
      throw refused(path, `rows have no ${JSON.stringify(types[0])}`);
  }
}

function refused(path: readonly string[], reason: string): PipelineError {
  return new PipelineError(
    "no_row_schema",
    `the validator has no schema of rows${path.length === 0 ? "" : `: field "${path.join(".")}"`}: ${reason}`,
  );
}
