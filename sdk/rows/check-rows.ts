// Whether a value is one of a schema's, and where it is not.
import { coderOf, type Coder } from "../../portability/coders/index.js";
import type { LogicalShape, RowSchema, Schema } from "../../portability/schemas/index.js";
import { renderElement } from "../../portability/stage-host/index.js";
import { LOGICAL_TYPE } from "../../portability/urns/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { elementwise } from "../transforms/par-do.js";

/** What is wrong with a value. */
export interface ValueIssue {
  /** Names of fields, indices of arrays and keys of maps, from the row on. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** More than these are not looked for. */
const MAX_ISSUES = 10;

type Check = (value: unknown, path: readonly PropertyKey[], issues: ValueIssue[]) => void;

/** A function that says what is wrong with a value, at most ten things. */
export function checkerOf(type: Schema<unknown>): (value: unknown) => readonly ValueIssue[] {
  const check = checkOf(type);
  return (value) => {
    const issues: ValueIssue[] = [];
    check(value, [], issues);
    return issues;
  };
}

function checkOf(type: Schema<unknown>): Check {
  const present = presentCheckOf(type);
  if (type.nullable) return (value, path, issues) => void (value !== null && present(value, path, issues));
  return present;
}

const whole = (min: number, max: number): Check =>
  simple(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    `a whole number from ${min} to ${max}`,
  );

function simple(holds: (value: unknown) => boolean, expected: string): Check {
  return (value, path, issues) => {
    if (!holds(value) && issues.length < MAX_ISSUES)
      issues.push({ path, message: `expected ${expected}, got ${value === undefined ? "nothing" : renderElement(value, 60)}` });
  };
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const number = simple((value) => typeof value === "number", "a number");
const text = simple((value) => typeof value === "string", "a text");
const bytes = simple((value) => value instanceof Uint8Array, "bytes");
const int64 = simple((value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value, "a bigint of 64 bits");

function presentCheckOf({ shape }: Schema<unknown>): Check {
  switch (shape.kind) {
    case "byte":
      return whole(-128, 127);
    case "int16":
      return whole(-32_768, 32_767);
    case "int32":
      return whole(-2_147_483_648, 2_147_483_647);
    case "int64":
      return int64;
    case "float":
    case "double":
      return number;
    case "string":
      return text;
    case "boolean":
      return simple((value) => typeof value === "boolean", "true or false");
    case "bytes":
      return bytes;
    case "array":
      return every(simple(Array.isArray, "an array"), checkOf(shape.element));
    case "iterable":
      return every(
        simple((value) => isObject(value) && Symbol.iterator in (value as object), "an iterable"),
        checkOf(shape.element),
      );
    case "map": {
      const [isMap, key, value] = [simple((given) => given instanceof Map, "a Map"), checkOf(shape.key), checkOf(shape.value)];
      return (given, path, issues) => {
        const before = issues.length;
        isMap(given, path, issues);
        if (issues.length > before) return;
        for (const [k, v] of given as ReadonlyMap<unknown, unknown>) {
          key(k, [...path, "keys"], issues);
          value(v, [...path, renderElement(k, 40)], issues);
        }
      };
    }
    case "row": {
      const isRow = simple((value) => isObject(value) && !Array.isArray(value), "a row");
      const fields = shape.fields.map(({ name, type }) => ({ name, check: checkOf(type) }));
      return (value, path, issues) => {
        const before = issues.length;
        isRow(value, path, issues);
        if (issues.length === before)
          for (const { name, check } of fields) check((value as Readonly<Record<string, unknown>>)[name], [...path, name], issues);
      };
    }
    case "logical":
      return logicalCheckOf(shape);
  }
}

/** Values of the logical types that the coders know; of others those of the representation. */
function logicalCheckOf({ urn, representation }: LogicalShape): Check {
  switch (urn) {
    case LOGICAL_TYPE.MILLIS_INSTANT:
    case LOGICAL_TYPE.DATE:
      return simple(Number.isInteger, "a whole number");
    case LOGICAL_TYPE.DECIMAL:
      return simple(
        (value) =>
          isObject(value) &&
          typeof (value as { unscaled?: unknown }).unscaled === "bigint" &&
          Number.isInteger((value as { scale?: unknown }).scale),
        "a decimal: { unscaled: bigint, scale: number }",
      );
    default:
      return presentCheckOf(representation);
  }
}

function every(isSequence: Check, element: Check): Check {
  return (value, path, issues) => {
    const before = issues.length;
    isSequence(value, path, issues);
    if (issues.length > before) return;
    let i = 0;
    for (const each of value as Iterable<unknown>) {
      if (issues.length >= MAX_ISSUES) return;
      element(each, [...path, i++], issues);
    }
  };
}

/** Issues as one text. */
export function describeIssues(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  return issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`).slice(0, 300))
    .join("; ");
}

/**
 * The elements as rows of a schema: checked, and from then on known to be. Further properties are dropped where rows are encoded.
 *
 * @throws (at run time) UserCodeError naming field and value of a row that is none
 * @example
 * ```ts
 * const Visit = schema.row({ user: schema.string, seconds: schema.int32 });
 * p.apply(create([{ user: "a", seconds: 3 }])).apply(rows.as(Visit)).apply(rows.select("user"));
 * ```
 */
export function as<T>(schema: RowSchema<T>): PTransform<PCollection<unknown>, PCollection<T>> {
  const check = checkerOf(schema);
  const fn = (value: unknown): unknown => {
    const issues = check(value);
    if (issues.length > 0) throw new TypeError(`is no row of its schema: ${describeIssues(issues)}`);
    return value;
  };
  return elementwise<unknown, T>(undefined, "rows.as", { kind: "map", fn, concurrency: 1 }, () => coderOf(schema) as Coder<unknown>);
}
