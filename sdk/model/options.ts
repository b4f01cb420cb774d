import { PipelineError } from "../../portability/stage-host/index.js";

/** One declared option of a pipeline: how its text is read, what it defaults to, how it is explained. */
export interface Option<T> {
  readonly type: "string" | "int" | "number" | "boolean";
  readonly help: string;
  /** Undefined means that the option must be given. */
  readonly default: T | undefined;
  /** Reads a value given by a program or, as text, on the command line. @throws RangeError saying what was expected. */
  parse(given: unknown): T;
}

/** The options that a pipeline declares, by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The values that a builder receives for declared options `O`. */
export type OptionValues<O extends Options> = { readonly [N in keyof O]: O[N] extends Option<infer T> ? T : never };

interface Common<T> {
  readonly default?: T;
  readonly help?: string;
}

function declare<T>(type: Option<T>["type"], common: Common<T> | undefined, parse: (given: unknown) => T): Option<T> {
  return { type, help: common?.help ?? "", default: common?.default, parse };
}

/**
 * Declares the options of a pipeline.
 *
 * @example
 * ```ts
 * const options = { input: option.string({ default: "data/*.txt" }), top: option.int({ default: 20, min: 1 }) };
 * ```
 */
export const option = {
  /** Any text. */
  string: (common?: Common<string>): Option<string> =>
    declare("string", common, (given) => {
      if (typeof given !== "string") throw new RangeError(`expected text, got ${String(given)}`);
      return given;
    }),
  /** A whole number, within `min` and `max` (both inclusive). */
  int: (common?: Common<number> & { readonly min?: number; readonly max?: number }): Option<number> =>
    declare("int", common, (given) => {
      const value = numberOf(given);
      if (!Number.isSafeInteger(value)) throw new RangeError(`expected a whole number, got "${String(given)}"`);
      return bounded(value, common?.min, common?.max);
    }),
  /** A finite number, within `min` and `max` (both inclusive). */
  number: (common?: Common<number> & { readonly min?: number; readonly max?: number }): Option<number> =>
    declare("number", common, (given) => {
      const value = numberOf(given);
      if (!Number.isFinite(value)) throw new RangeError(`expected a number, got "${String(given)}"`);
      return bounded(value, common?.min, common?.max);
    }),
  /** `true` or `false`; given without a value on the command line it is true. */
  boolean: (common?: Common<boolean>): Option<boolean> =>
    declare("boolean", { default: false, ...common }, (given) => {
      if (given === true || given === "true") return true;
      if (given === false || given === "false") return false;
      throw new RangeError(`expected true or false, got "${String(given)}"`);
    }),
};

function numberOf(given: unknown): number {
  if (typeof given === "number") return given;
  return typeof given === "string" && given.trim() !== "" ? Number(given) : NaN;
}

function bounded(value: number, min = -Infinity, max = Infinity): number {
  if (value < min) throw new RangeError(`expected at least ${min}, got ${value}`);
  if (value > max) throw new RangeError(`expected at most ${max}, got ${value}`);
  return value;
}

/** Checks given values against the declaration. @throws PipelineError that lists what is wrong and what exists. */
export function resolveOptions<O extends Options>(declared: O, given: Readonly<Record<string, unknown>>): OptionValues<O> {
  const known = Object.keys(declared);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new PipelineError(
        "unknown_option",
        `unknown option --${name}; ${known.length === 0 ? "this pipeline has no options" : `this pipeline has ${known.map((k) => `--${k}`).join(", ")}`}`,
      );
  for (const name of known) {
    const value = given[name] === undefined ? declared[name].default : given[name];
    if (value === undefined) throw new PipelineError("missing_option", `option --${name} is required`);
    try {
      values[name] = declared[name].parse(value);
    } catch (error) {
      throw new PipelineError("bad_option", `option --${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return values as OptionValues<O>;
}
