import { CoderError } from "./coder-error.js";

/** Fails for a value that a coder cannot write, away from the path of those that it can. */
export function wrongValue(expected: string, value: unknown): never {
  throw new CoderError(`expected ${expected}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "object":
      return value === null ? "null" : `an object of class ${(value.constructor as { name?: string } | undefined)?.name ?? "(none)"}`;
    case "string":
      return "a string";
    case "number":
    case "bigint":
      return `the ${typeof value} ${value}`;
    default:
      return String(typeof value);
  }
}
