import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A time as people write it, `500ms` or `1.5m`, in milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? [];
  const value = Number(number) * (UNITS[unit] ?? NaN);
  if (value >= 1 && value < 2 ** 31) return value;
  throw new InvalidArgumentError("expected a time such as 500ms, 10s or 2m");
}
