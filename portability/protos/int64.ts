// 64-bit integers between messages and the rest of the code.
//
// Messages hold them as `Long`. protobufjs takes a number too, but not a `bigint`, which it silently writes as 0: every bigint
// passes through here. A value out of range is an error, never cut.
import Long from "long";

export const MIN_INT64 = -(2n ** 63n);
export const MAX_INT64 = 2n ** 63n - 1n;
export const MAX_UINT64 = 2n ** 64n - 1n;

const LOW_BITS = 0xffff_ffffn;

/** What a message may hold in a 64-bit field; absent means 0. */
export type Int64Field = Long | number | null | undefined;

/**
 * The field value of an int64, sint64 or sfixed64.
 * @throws RangeError outside `MIN_INT64`…`MAX_INT64`.
 */
export function int64FromBigInt(value: bigint): Long {
  if (value < MIN_INT64 || value > MAX_INT64) throw outOfRange(value, "an int64");
  return fromBits(value, false);
}

/**
 * The field value of a uint64 or fixed64.
 * @throws RangeError outside 0…`MAX_UINT64`.
 */
export function uint64FromBigInt(value: bigint): Long {
  if (value < 0n || value > MAX_UINT64) throw outOfRange(value, "a uint64");
  return fromBits(value, true);
}

/**
 * The field value of an int64 given as a number.
 * @throws RangeError unless the number is a safe integer.
 */
export function int64FromNumber(value: number): Long {
  if (!Number.isSafeInteger(value)) throw outOfRange(value, "a safe integer");
  return Long.fromNumber(value);
}

/**
 * The exact value of a 64-bit field, signed or unsigned as the field is.
 * @throws RangeError for a number that is not a safe integer: it has lost its value already.
 */
export function int64ToBigInt(field: Int64Field): bigint {
  if (field == null) return 0n;
  if (typeof field === "number") {
    if (!Number.isSafeInteger(field)) throw outOfRange(field, "a safe integer");
    return BigInt(field);
  }
  const high = BigInt(field.unsigned ? field.getHighBitsUnsigned() : field.getHighBits());
  return (high << 32n) | BigInt(field.getLowBitsUnsigned());
}

/**
 * The value of a 64-bit field as a number.
 * @throws RangeError when a number does not hold it exactly.
 */
export function int64ToNumber(field: Int64Field): number {
  const value = field == null ? 0 : typeof field === "number" ? field : field.toNumber();
  if (!Number.isSafeInteger(value)) throw outOfRange(typeof field === "number" ? field : int64ToBigInt(field), "a safe integer");
  return value;
}

function fromBits(value: bigint, unsigned: boolean): Long {
  return Long.fromBits(Number(BigInt.asIntN(32, value & LOW_BITS)), Number(BigInt.asIntN(32, value >> 32n)), unsigned);
}

function outOfRange(value: bigint | number, expected: string): RangeError {
  return new RangeError(`${value} is not ${expected}`);
}
