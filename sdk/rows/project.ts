import type { RowSchema, Schema } from "../../portability/schemas/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { Dropped, FieldOf, Flat, Renamed, Selected } from "./row-types.js";
import { fieldOf, mapRows, projection, schemaOfFields } from "./schema-of.js";

/**
 * Rows with these fields alone, in this order.
 *
 * @throws PipelineError at construction for a field that is not there
 * @example
 * ```ts
 * orders.apply(rows.select("id", "amount"));
 * ```
 */
export function select<T, const K extends FieldOf<T>>(...names: readonly K[]): PTransform<PCollection<T>, PCollection<Selected<T, K>>> {
  return mapRows("rows.select", (schema, reader) =>
    reshaped(
      schema,
      names.map((name) => [name, name]),
      reader,
    ),
  );
}

/**
 * Rows without these fields.
 *
 * @throws PipelineError at construction for a field that is not there
 * @example
 * ```ts
 * orders.apply(rows.drop("paid"));
 * ```
 */
export function drop<T, const K extends FieldOf<T>>(...names: readonly K[]): PTransform<PCollection<T>, PCollection<Dropped<T, K>>> {
  return mapRows("rows.drop", (schema, reader) => {
    for (const name of names) fieldOf(schema, name, reader);
    const kept = schema.shape.fields.filter(({ name }) => !names.includes(name as K));
    return reshaped(
      schema,
      kept.map(({ name }) => [name, name]),
      reader,
    );
  });
}

/**
 * The same rows with other names for some fields: `{ old: "new" }`.
 *
 * @throws PipelineError at construction for a field that is not there, or a name that is used twice
 * @example
 * ```ts
 * orders.apply(rows.rename({ id: "order" }));
 * ```
 */
export function rename<T, const M extends Readonly<Partial<Record<FieldOf<T>, string>>>>(
  names: M & Record<Exclude<keyof M, keyof T>, never>,
): PTransform<PCollection<T>, PCollection<Renamed<T, M>>> {
  const renamed = new Map(Object.entries(names as Readonly<Record<string, string>>));
  return mapRows("rows.rename", (schema, reader) => {
    for (const name of renamed.keys()) fieldOf(schema, name, reader);
    return reshaped(
      schema,
      schema.shape.fields.map(({ name }) => [renamed.get(name) ?? name, name]),
      reader,
    );
  });
}

/**
 * Rows with one more field, whose value a function gives.
 *
 * @throws PipelineError at construction for a name that is there already
 * @example
 * ```ts
 * orders.apply(rows.add("large", schema.boolean, ({ amount }) => amount > 1000));
 * ```
 */
export function add<T, const N extends string, V>(
  name: N,
  type: Schema<V>,
  valueOf: (row: T) => NoInfer<V>,
): PTransform<PCollection<T>, PCollection<Flat<T & Record<N, V>>>> {
  return mapRows("rows.add", ({ shape }: RowSchema<T>, reader) => ({
    schema: schemaOfFields([...shape.fields.map((field) => [field.name, field.type] as const), [name, type]], reader),
    fn: (row: T) => ({ ...row, [name]: valueOf(row) }) as Flat<T & Record<N, V>>,
  }));
}

function reshaped<R>(schema: RowSchema<unknown>, pairs: readonly (readonly [target: string, source: string])[], reader: string) {
  const types = pairs.map(([target, source]) => [target, fieldOf(schema, source, reader).type] as const);
  return { schema: schemaOfFields(types, reader) as RowSchema<R>, fn: projection<unknown, R>(pairs) };
}
