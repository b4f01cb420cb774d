import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { map } from "../transforms/elementwise.js";
import { fronted } from "../transforms/function-parts.js";
import { output, parDo } from "../transforms/par-do.js";
import { describeIssues } from "./check-rows.js";

/** An element that a validator refused. */
export interface Invalid {
  readonly value: unknown;
  /** What is wrong with it, where: at most ten, each in at most 300 characters. */
  readonly issues: readonly string[];
}

/** What comes of validation where invalid elements are kept. */
export interface Validated<T> {
  readonly valid: PCollection<T>;
  readonly invalid: PCollection<Invalid>;
}

/**
 * What a validator of any library makes of each element; by https://standardschema.dev, so zod, valibot, ArkType and others will do.
 * Validators may be asynchronous.
 *
 * @param options `invalid: "keep"` gives invalid elements as a second output, with what is wrong with them; by default the first one fails
 *   the run
 * @throws (at run time) UserCodeError that says what is wrong, and where
 * @example
 * ```ts
 * p.apply(jsonLines.read("examples/data/orders.jsonl")).apply(rows.validate(z.object({ customer: z.string(), amount: z.number() })));
 * ```
 */
export function validate<S extends StandardSchemaV1>(
  validator: S,
  options?: { readonly invalid?: "fail" },
): PTransform<PCollection<unknown>, PCollection<StandardSchemaV1.InferOutput<S>>>;
export function validate<S extends StandardSchemaV1>(
  validator: S,
  options: { readonly invalid: "keep" },
): PTransform<PCollection<unknown>, Validated<StandardSchemaV1.InferOutput<S>>>;
export function validate(
  validator: StandardSchemaV1,
  { invalid = "fail" }: { readonly invalid?: "fail" | "keep" } = {},
): PTransform<PCollection<unknown>, PCollection<unknown> | Validated<unknown>> {
  const check = (value: unknown) => validator["~standard"].validate(value);
  const failing = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (result.issues === undefined) return result.value;
    throw new TypeError(`is not valid: ${textsOf(result.issues).join("; ")}`);
  };
  return fronted<unknown, PCollection<unknown> | Validated<unknown>>(undefined, "rows.validate", (input, first) => {
    if (invalid === "fail")
      return input.apply(
        first(
          map("check", (value) => {
            const result = check(value);
            return result instanceof Promise ? result.then(failing) : failing(result);
          }),
        ),
      );
    return input.apply(
      first(
        parDo("check", {
          outputs: { valid: output<unknown>(), invalid: output<Invalid>() },
          process(value: unknown, { emit }) {
            const settle = (result: StandardSchemaV1.Result<unknown>): void => {
              if (result.issues === undefined) emit.valid(result.value);
              else emit.invalid({ value, issues: textsOf(result.issues) });
            };
            const result = check(value);
            if (result instanceof Promise) return result.then(settle);
            settle(result);
          },
        }),
      ),
    );
  });
}

function textsOf(issues: readonly StandardSchemaV1.Issue[]): readonly string[] {
  return issues
    .slice(0, 10)
    .map(({ message, path = [] }) => describeIssues([{ message, path: path.map((part) => (typeof part === "object" ? part.key : part)) }]));
}
