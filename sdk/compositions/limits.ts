/** @throws RangeError unless it is a whole number of at least `least` */
export function checkWhole(name: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new RangeError(`${name} must be a whole number of at least ${least}, not ${String(value)}`);
}

/** @throws RangeError unless it is a number above 0 */
export function checkAboveZero(name: string, value: number): void {
  if (!(typeof value === "number" && value > 0)) throw new RangeError(`${name} must be a number above 0, not ${String(value)}`);
}
