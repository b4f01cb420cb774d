// 64-bit integers of messages: `Long` inside them, `bigint` or `number` with us. This is the one place that converts; a
// bigint given to protobufjs itself would silently be written as 0.
import Long from "long";

/**
 * A signed 64-bit integer for a message. @throws RangeError beyond 64 bits, or for a number that is not a safe integer
 *
 * @example
 * ```ts
 * const sameNumber = fromInt64(toInt64(2n ** 62n));
 * ```
 */
export function toInt64(value: bigint | number): Long {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer; use a bigint`);
    return Long.fromNumber(value);
  }
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is not a signed 64-bit integer`);
  return Long.fromBits(Number(value & 0xffffffffn) | 0, Number(value >> 32n) | 0);
}

/**
 * A signed 64-bit integer of a message, exactly; 0 for one that is not set.
 *
 * @example
 * ```ts
 * const sameNumber = fromInt64(toInt64(300));
 * ```
 */
export function fromInt64(value: Long | number | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === "number") return BigInt(value);
  return BigInt.asIntN(64, (BigInt(value.high) << 32n) | BigInt(value.low >>> 0));
}
