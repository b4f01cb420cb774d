import { coderOf, type Coder } from "../../portability/coders/index.js";
import type { RowSchema, Schema } from "../../portability/schemas/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { globally } from "../transforms/combine.js";
import { groupByKey } from "../transforms/group-by-key.js";
import { elementwise } from "../transforms/par-do.js";
import { perKey } from "../transforms/per-key.js";
import type { Aggregated, AggregatesOf } from "./aggregates.js";
import { keyByFields } from "./row-keys.js";
import type { FieldOf, Flat, Selected } from "./row-types.js";
import { fieldOf, schemaOf, schemaOfFields } from "./schema-of.js";
import { tupleCoder } from "./tuple-coder.js";

/**
 * One row for each group of rows that agree in some fields, per window: those fields and the aggregates. Aggregates are made before rows
 * are sent anywhere. Without aggregates: the rows of each group, by a row of those fields.
 *
 * @throws PipelineError at construction for a field that is not there, or is no key: floating point has no equality that holds
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { orders: rows.count(), total: rows.sum("amount"), largest: rows.max("amount") }));
 * ```
 */
export function groupBy<T, const K extends FieldOf<T>>(
  fields: readonly K[],
): PTransform<PCollection<T>, PCollection<KV<Selected<T, K>, Iterable<T>>>>;
export function groupBy<T, const K extends FieldOf<T>, const A extends AggregatesOf<T>>(
  fields: readonly K[],
  aggregates: A,
): PTransform<PCollection<T>, PCollection<Flat<Selected<T, K> & Aggregated<T, A>>>>;
export function groupBy<T>(fields: readonly string[], aggregates?: AggregatesOf<T>): PTransform<PCollection<T>, PCollection<unknown>> {
  return {
    defaultName: "rows.groupBy",
    expand: (input) => (aggregates === undefined ? collect(input, fields) : aggregateBy(input, fields, aggregates)),
  };
}

/**
 * One row of the aggregates of all rows of each window; none for a window without rows.
 *
 * @throws PipelineError at construction for a field that is not there
 * @example
 * ```ts
 * orders.apply(rows.aggregate({ orders: rows.count(), average: rows.mean("amount") }));
 * ```
 */
export function aggregate<T, const A extends AggregatesOf<T>>(aggregates: A): PTransform<PCollection<T>, PCollection<Aggregated<T, A>>> {
  return {
    defaultName: "rows.aggregate",
    expand(input) {
      const { combineFn, names, schema } = composed(schemaOf(input), aggregates as AggregatesOf<T>, input.graph.currentName);
      const output = schemaOfFields(schema, input.graph.currentName);
      return input
        .apply(globally<T, unknown, readonly unknown[]>("aggregate", "aggregate", combineFn))
        .apply(
          elementwise<readonly unknown[], Aggregated<T, A>>(
            "row",
            "row",
            { kind: "map", fn: (values: readonly unknown[]) => withValues({}, names, values), concurrency: 1 },
            () => coderOf(output) as Coder<unknown>,
          ),
        );
    },
  };
}

function collect<T>(input: PCollection<T>, fields: readonly string[]): PCollection<KV<unknown, Iterable<T>>> {
  const { keyed, rowOf } = keyByFields(
    input,
    fields.map((name) => [name, name]),
    input.graph.currentName,
  );
  return keyed.apply(groupByKey("group")).apply(
    elementwise<KV<unknown, Iterable<T>>, KV<unknown, Iterable<T>>>("row", "row", {
      kind: "map",
      fn: ({ key, value }: KV<unknown, Iterable<T>>) => kv(rowOf(key), value),
      concurrency: 1,
    }),
  );
}

function aggregateBy<T>(input: PCollection<T>, fields: readonly string[], aggregates: AggregatesOf<T>): PCollection<unknown> {
  const reader = input.graph.currentName;
  const { schema, keyed, rowOf } = keyByFields(
    input,
    fields.map((name) => [name, name]),
    reader,
  );
  const { combineFn, names, schema: types } = composed(schema, aggregates, reader);
  const keyTypes = fields.map((name) => [name, fieldOf(schema, name, reader).type] as const);
  const output = schemaOfFields([...keyTypes, ...types], reader);
  return keyed.apply(perKey("aggregate", "aggregate", combineFn as CombineFn<T, unknown, readonly unknown[]>)).apply(
    elementwise<KV<unknown, readonly unknown[]>, unknown>(
      "row",
      "row",
      {
        kind: "map",
        fn: ({ key, value }: KV<unknown, readonly unknown[]>) => withValues({ ...rowOf(key) }, names, value),
        concurrency: 1,
      },
      () => coderOf(output) as Coder<unknown>,
    ),
  );
}

function withValues<R>(row: Record<string, unknown>, names: readonly string[], values: readonly unknown[]): R {
  for (let i = 0; i < names.length; i++) row[names[i]] = values[i];
  return row as R;
}

/** All aggregates as one CombineFn of whole rows; its accumulator has theirs in order. */
function composed<T>(
  schema: RowSchema<T>,
  aggregates: AggregatesOf<T>,
  reader: string,
): {
  readonly names: readonly string[];
  readonly schema: readonly (readonly [string, Schema<unknown>])[];
  readonly combineFn: CombineFn<T, unknown, readonly unknown[]>;
} {
  const names = Object.keys(aggregates);
  const fields = names.map((name) => aggregates[name].field);
  const plans = names.map((name, i) => aggregates[name].plan(fields[i] === undefined ? undefined : fieldOf(schema, fields[i], reader)));
  const fns = plans.map(({ combineFn }) => combineFn);
  const combineFn: CombineFn<T, unknown[], unknown[]> = {
    accumulatorCoder: tupleCoder(fns.map(({ accumulatorCoder }) => accumulatorCoder)),
    createAccumulator: () => fns.map((fn) => fn.createAccumulator()),
    addInput(accumulators, row) {
      for (let i = 0; i < fns.length; i++) {
        const field = fields[i];
        const value = field === undefined ? row : (row as Readonly<Record<string, unknown>>)[field];
        if (value !== null) accumulators[i] = fns[i].addInput(accumulators[i], value);
      }
      return accumulators;
    },
    mergeAccumulators(left, right) {
      for (let i = 0; i < fns.length; i++) left[i] = fns[i].mergeAccumulators(left[i], right[i]);
      return left;
    },
    extractOutput: (accumulators) => accumulators.map((accumulator, i) => fns[i].extractOutput(accumulator)),
  };
  return {
    names,
    schema: names.map((name, i) => [name, plans[i].type]),
    combineFn: combineFn as CombineFn<T, unknown, readonly unknown[]>,
  };
}
