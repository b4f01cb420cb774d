// Schemas as values: one definition gives the static type of rows and, through the coders, their bytes and messages.
import * as logical from "./logical-types.js";
import { array, atomic, iterable, map, nullable, row } from "./structural-types.js";

export type * from "./schema-type.js";
export { logicalType, type Decimal } from "./logical-types.js";
export type { RowOf, RowOptions } from "./structural-types.js";

/**
 * Builds schema types.
 *
 * @example `const Spending = schema.row({ card: schema.string, amount: schema.int64 }); type Spending = SchemaType<typeof Spending>;`
 */
export const schema = {
  /** A signed byte, as a number. */
  byte: atomic<number>("byte"),
  int16: atomic<number>("int16"),
  int32: atomic<number>("int32"),
  /** A signed 64-bit integer, as a bigint. */
  int64: atomic<bigint>("int64"),
  /** A number of single precision: others are rounded. */
  float: atomic<number>("float"),
  double: atomic<number>("double"),
  string: atomic<string>("string"),
  boolean: atomic<boolean>("boolean"),
  bytes: atomic<Uint8Array>("bytes"),
  array,
  iterable,
  map,
  nullable,
  row,
  millisInstant: logical.millisInstant,
  microsInstant: logical.microsInstant,
  timestamp: logical.timestamp,
  decimal: logical.decimal,
  fixedBytes: logical.fixedBytes,
  varBytes: logical.varBytes,
  fixedChar: logical.fixedChar,
  varChar: logical.varChar,
  date: logical.date,
  pythonCallable: logical.pythonCallable,
} as const;
