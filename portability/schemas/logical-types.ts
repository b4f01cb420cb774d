// Beam's logical types: values of one type that are written as values of another.
import { atomic, row } from "./structural-types.js";
import type { LogicalArgument, LogicalShape, Schema } from "./schema-type.js";

const NO_PAYLOAD = new Uint8Array();

/**
 * A logical type of any URN. Values of one that is not known here are those of the representation.
 *
 * @example
 * ```ts
 * const Percent = logicalType<number>("example:logical_type:percent:v1", schema.int32);
 * ```
 */
export function logicalType<T>(
  urn: string,
  representation: Schema<unknown>,
  argument?: LogicalArgument,
  payload: Uint8Array = NO_PAYLOAD,
): Schema<T> {
  const shape: LogicalShape = { kind: "logical", urn, payload, representation, argument };
  return { shape, nullable: false };
}

/** An exact decimal number: `unscaled × 10^-scale`. */
export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

const text = atomic<string>("string");
const binary = atomic<Uint8Array>("bytes");
const long = atomic<bigint>("int64");

function sized<T>(name: string, representation: Schema<T>, length: number): Schema<T> {
  if (!Number.isInteger(length) || length < 0 || length > 0x7fffffff) throw new RangeError(`${length} is not a length`);
  return logicalType<T>(`beam:logical_type:${name}:v1`, representation, { kind: "int32", value: length });
}

/** Milliseconds since 1970, as a number. */
export const millisInstant = logicalType<number>("beam:logical_type:millis_instant:v1", long);

/** An instant in seconds and microseconds since 1970. */
export const microsInstant = logicalType<{ readonly seconds: bigint; readonly micros: bigint }>(
  "beam:logical_type:micros_instant:v1",
  row({ seconds: long, micros: long }),
);

/** An instant in seconds since 1970 and `10^-precision` seconds, 0 ≤ precision ≤ 9; the fraction counts up also before 1970. */
export function timestamp(precision: number): Schema<{ readonly seconds: bigint; readonly subseconds: number }> {
  if (!Number.isInteger(precision) || precision < 0 || precision > 9) throw new RangeError(`precision ${precision} is not 0 to 9`);
  const subseconds = atomic<number>(precision < 5 ? "int16" : "int32");
  return logicalType("beam:logical_type:timestamp:v1", row({ seconds: long, subseconds }), { kind: "int32", value: precision });
}

export const decimal = logicalType<Decimal>("beam:logical_type:decimal:v1", binary);

/** Bytes of one length: shorter ones are padded with zeros. */
export const fixedBytes = (length: number): Schema<Uint8Array> => sized("fixed_bytes", binary, length);

/** Bytes up to a length. */
export const varBytes = (maxLength: number): Schema<Uint8Array> => sized("var_bytes", binary, maxLength);

/** Text of one length in UTF-16 units: shorter ones are padded with spaces. */
export const fixedChar = (length: number): Schema<string> => sized("fixed_char", text, length);

/** Text up to a length in UTF-16 units. */
export const varChar = (maxLength: number): Schema<string> => sized("var_char", text, maxLength);

/** Days since 1970-01-01, as a number. */
export const date = logicalType<number>("beam:logical_type:date:v1", long);

/** A Python function: its source or its name. */
export const pythonCallable = logicalType<string>("beam:logical_type:python_callable:v1", text);
