// Exact decimal numbers: values bring their own scale, files have one for all values of a column.
import type { Decimal } from "../../../portability/schemas/index.js";

/** How decimal numbers are stored: at most `precision` digits, `scale` of them behind the point. */
export interface DecimalSize {
  readonly precision: number;
  readonly scale: number;
}

/** What most systems call NUMERIC. */
export const DEFAULT_DECIMAL: DecimalSize = { precision: 38, scale: 9 };

/** @throws RangeError */
export function checkDecimalSize({ precision, scale }: DecimalSize): void {
  if (!(Number.isInteger(precision) && precision >= 1 && precision <= 38))
    throw new RangeError(`the precision of decimals must be a whole number from 1 to 38, not ${precision}`);
  if (!(Number.isInteger(scale) && scale >= 0 && scale <= precision))
    throw new RangeError(`the scale of decimals must be a whole number from 0 to their precision, not ${scale}`);
}

/**
 * The unscaled number at the scale of a column.
 * @throws RangeError for one that it cannot hold exactly
 */
export function unscaledAt({ precision, scale }: DecimalSize): (value: unknown) => bigint {
  const limit = 10n ** BigInt(precision);
  return (value) => {
    const decimal = value as Decimal;
    const shift = scale - decimal.scale;
    const factor = 10n ** BigInt(Math.abs(shift));
    const unscaled = shift >= 0 ? decimal.unscaled * factor : decimal.unscaled / factor;
    if ((shift < 0 && unscaled * factor !== decimal.unscaled) || unscaled >= limit || unscaled <= -limit)
      throw new RangeError(`${decimal.unscaled}e${-decimal.scale} does not fit decimals of ${precision} digits, ${scale} behind the point`);
    return unscaled;
  };
}

/** Big-endian two's complement, as short as can be. */
export function signedBytes(value: bigint): Buffer {
  let bits = 8;
  while (BigInt.asIntN(bits, value) !== value) bits += 8;
  return Buffer.from(
    BigInt.asUintN(bits, value)
      .toString(16)
      .padStart(bits / 4, "0"),
    "hex",
  );
}

/** The unscaled number of a file: a number, a bigint, or big-endian two's complement. */
export function unscaledOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  if (value.length === 0) return 0n;
  const hex = Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex");
  return BigInt.asIntN(value.length * 8, BigInt(`0x${hex}`));
}
