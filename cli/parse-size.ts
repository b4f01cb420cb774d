import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Least memory that a worker can do anything with. */
const MIN_BYTES = 64 * 2 ** 20;

/** A size as people write it, `512m` or `1.5g`, in bytes. @throws InvalidArgumentError */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null ? NaN : Math.round(Number(match[1]) * UNITS[match[2].toLowerCase()]);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError("expected a size such as 512m or 1.5g");
  if (bytes < MIN_BYTES) throw new InvalidArgumentError("expected at least 64m");
  return bytes;
}
