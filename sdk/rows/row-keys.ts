import { coderOf, coderOfType, kvCoder, type Coder } from "../../portability/coders/index.js";
import type { RowSchema } from "../../portability/schemas/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import { elementwise } from "../transforms/par-do.js";
import type { Row } from "./row-types.js";
import { fieldOf, projection, schemaOf, schemaOfFields } from "./schema-of.js";

/** Rows by the values of some of their fields. */
export interface KeyedRows<T> {
  readonly schema: RowSchema<T>;
  readonly keyed: PCollection<KV<unknown, T>>;
  /** From a key back to its fields, as a row. */
  readonly rowOf: (key: unknown) => Row;
}

/**
 * Keys rows by some fields, under other names where `pairs` says so: `[name in the key, name in the row]`. A single field is the key
 * itself, which is found faster than a row of one.
 */
export function keyByFields<T>(
  input: PCollection<T>,
  pairs: readonly (readonly [name: string, source: string])[],
  reader: string,
  name = "by fields",
): KeyedRows<T> {
  const schema = schemaOf(input);
  const types = pairs.map(([name, source]) => [name, fieldOf(schema, source, reader).type] as const);
  const [single, source] = pairs.length === 1 ? pairs[0] : [undefined, ""];
  const keyCoder = single === undefined ? coderOf(schemaOfFields(types, reader)) : coderOfType(types[0][1]);
  const project = projection<T, unknown>(pairs);
  const keyOf = single === undefined ? project : (row: T) => (row as Row)[source];
  const keyed = input.apply(
    elementwise<T, KV<unknown, T>>(
      name,
      name,
      { kind: "map", fn: (row: T) => kv(keyOf(row), row), concurrency: 1 },
      () => kvCoder(keyCoder as Coder<unknown>, coderOf(schema)) as Coder<unknown>,
    ),
  );
  return { schema, keyed, rowOf: single === undefined ? (key) => key as Row : (key) => ({ [single]: key }) };
}
