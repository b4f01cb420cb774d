import { coderOf, rowSchemaOf, type Coder } from "../../portability/coders/index.js";
import type { RowSchema, Schema, SchemaField } from "../../portability/schemas/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { withBody } from "../transforms/function-parts.js";
import { elementwise } from "../transforms/par-do.js";
import type { Row } from "./row-types.js";

/**
 * The schema of a PCollection of rows: that of its coder.
 *
 * @throws PipelineError for a PCollection that has none
 * @example
 * ```ts
 * const names = rows.schemaOf(orders).shape.fields.map(({ name }) => name);
 * ```
 */
export function schemaOf<T>(input: PCollection<T>): RowSchema<T> {
  const schema = rowSchemaOf(input.coder);
  if (schema === undefined)
    throw new PipelineError(
      "no_schema",
      `transform "${input.graph.currentName}" needs rows of a schema, and those of its input have none; apply rows.as(schema) before it`,
    );
  return schema as unknown as RowSchema<T>;
}

/** @throws PipelineError for a field that is not there */
export function fieldOf(schema: RowSchema<unknown>, name: string, reader: string): SchemaField {
  const found = schema.shape.fields.find((field) => field.name === name);
  if (found === undefined)
    throw new PipelineError(
      "no_field",
      `transform "${reader}": there is no field "${name}"; there are ${schema.shape.fields.map((field) => field.name).join(", ")}`,
    );
  return found;
}

/** A schema of these fields, in this order. @throws PipelineError for a name that is used twice */
export function schemaOfFields(fields: readonly (readonly [name: string, type: Schema<unknown>])[], reader: string): RowSchema<never> {
  const names = new Set<string>();
  for (const [name] of fields) {
    if (names.has(name))
      throw new PipelineError(
        "duplicate_field",
        `transform "${reader}": two fields are called "${name}"; give one another name by rows.rename()`,
      );
    names.add(name);
  }
  const shape = {
    kind: "row" as const,
    fields: fields.map(([name, type], encodingPosition) => ({ name, type, description: "", encodingPosition, options: [] })),
    id: "",
    staticEncoding: false,
    options: [],
  };
  return { shape, nullable: false };
}

/** The same type, and null. */
export function nullable(type: Schema<unknown>): Schema<unknown> {
  return { shape: type.shape, nullable: true };
}

/** Makes each row another one, by a function that is made for the schema of the input. */
export function mapRows<T, R>(
  defaultName: string,
  plan: (schema: RowSchema<T>, name: string) => { readonly schema: RowSchema<R>; readonly fn: (row: T) => R },
): PTransform<PCollection<T>, PCollection<R>> {
  const step = (input: PCollection<T>): PTransform<PCollection<T>, PCollection<R>> => {
    const { schema, fn } = plan(schemaOf(input), input.graph.currentName);
    return elementwise<T, R>(undefined, defaultName, { kind: "map", fn, concurrency: 1 }, () => coderOf(schema) as Coder<unknown>);
  };
  return withBody({ defaultName, expand: (input) => step(input).expand(input) }, (input, first) => input.apply(first(step(input))));
}

/**
 * A function that copies fields from one object into a new one. Compiled for its names, so that all objects have one shape and a copy
 * costs a few nanoseconds, where a loop over names costs ten times that.
 */
export function projection<T, R>(pairs: readonly (readonly [target: string, source: string])[]): (row: T) => R {
  return compiled(
    ["row"],
    pairs.map(([target, source]) => ["row", target, source]),
  ) as (row: T) => R;
}

/** A function that makes one row of two: these fields of the left one, then those of the right one. */
export function merging(lefts: readonly string[], rights: readonly string[]): (left: Row, right: Row) => Row {
  return compiled(
    ["left", "right"],
    [...lefts.map((name) => ["left", name, name] as const), ...rights.map((name) => ["right", name, name] as const)],
  ) as (left: Row, right: Row) => Row;
}

type Copy = readonly [from: string, target: string, source: string];

// Names are put in as JSON texts, so they can only be names. "__proto__" is refused by the coder of rows.
function compiled(parameters: readonly string[], copies: readonly Copy[]): unknown {
  const properties = copies.map(([from, target, source]) => `${JSON.stringify(target)}: ${from}[${JSON.stringify(source)}]`);
  // eslint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(...parameters, `return { ${properties.join(", ")} };`);
}
