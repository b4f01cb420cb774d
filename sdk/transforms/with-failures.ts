import type { Coder } from "../../portability/coders/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import type { DoFn, UntypedParDo } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { anyValue } from "./element-coder.js";
import { failureCoder } from "./failure-coder.js";
import { bodyOf, partsOf, reasonOf, type Body, type FunctionParts } from "./function-parts.js";
import { guarded } from "./guarded-do-fn.js";

/** An element that a function could not cope with, and why. */
export interface Failure<T> {
  readonly element: T;
  readonly error: { readonly name: string; readonly message: string; readonly stack?: string | undefined };
  readonly window: Window;
  readonly timestamp: Timestamp;
}

/** Options of {@link withFailures}. */
export interface FailureOptions {
  /** How often the function is called for an element, at once, before that is a failure; default 1. */
  readonly attempts?: number;
}

const FAILURES = "failures";

/**
 * The same transform, except that an element for which its function throws, or rejects its promise, becomes a {@link Failure} in an output
 * of its own instead of failing the run: a dead-letter output. It is in the element's window, at its timestamp.
 *
 * What a call puts out is held until it succeeds, so nothing of a failed call is seen: an output as long as `flatMap` may give is in memory
 * as a whole. For transforms that call a function for each element: `map`, `filter`, `flatMap`, `withKeys`, `withTimestamps`, `parDo`,
 * `partition`, `distinct`, `deduplicate`, `orderedPerKey`, `requestResponse`, `enrich`, `rows.as`, `rows.add`, `rows.validate`, `fromJson` and the
 * like; a failure in `setup`, `startBundle` or `finishBundle` still fails the bundle. Not for functions that combine or compare, whose failures
 * are nobody's in particular, for those with state, which a failed call would leave half changed, and for sources and sinks: put it around a `map` or `filter` before those.
 *
 * @throws PipelineError for another transform
 * @example
 * ```ts
 * const { output, failures } = lines.apply(withFailures(map("parse", (line: string) => JSON.parse(line) as { page: string })));
 * output.apply(map(({ page }) => page));
 * failures.apply(map(({ element, error }) => `${error.message}: ${element}`)).apply(textIO.write("out/broken"));
 * ```
 */
export function withFailures<T, Out>(
  transform: PTransform<PCollection<T>, Out>,
  options: FailureOptions = {},
): PTransform<PCollection<T>, WithFailures<T, Out>> {
  const { attempts = 1 } = options;
  if (!(Number.isSafeInteger(attempts) && attempts >= 1)) throw new RangeError(`attempts must be a whole number above 0, not ${attempts}`);
  const parts = partsOf(transform);
  if (parts !== undefined) return guardedParts(transform, parts, attempts);
  const body = bodyOf(transform);
  if (body !== undefined) return guardedFront(transform, body, options);
  throw new PipelineError("not_one_function", `"${titleOf(transform)}" ${reasonOf(transform) ?? NO_FUNCTION}`);
}

/** What {@link withFailures} gives. */
export interface WithFailures<T, Out> {
  readonly output: Out;
  readonly failures: PCollection<Failure<T>>;
}

const NO_FUNCTION =
  "calls no function for each element that withFailures could catch: it takes map, filter, flatMap, parDo and the like; put it around one of those before it";

const titleOf = ({ name, defaultName }: PTransform<never, unknown>): string => name ?? defaultName;

/** Puts dead letters around the step that calls the author's function; what is behind it goes on with what succeeds. */
function guardedFront<T, Out>(
  { name, defaultName }: PTransform<PCollection<T>, Out>,
  body: Body<T, Out>,
  options: FailureOptions,
): PTransform<PCollection<T>, WithFailures<T, Out>> {
  return {
    name,
    defaultName,
    expand(input) {
      let failures: PCollection<Failure<T>> | undefined;
      const output = body(input, (step) => ({
        name: step.name,
        defaultName: step.defaultName,
        expand(elements) {
          const caught = withFailures(step, options).expand(elements);
          failures = caught.failures;
          return caught.output;
        },
      }));
      if (failures === undefined) throw new PipelineError("not_one_function", `"${input.graph.currentName}" ${NO_FUNCTION}`);
      return { output, failures };
    },
  };
}

function guardedParts<T, Out>(
  transform: PTransform<PCollection<T>, Out>,
  parts: FunctionParts,
  attempts: number,
): PTransform<PCollection<T>, WithFailures<T, Out>> {
  const { name, defaultName } = transform;
  const title = titleOf(transform);
  const { doFn, tagged } = parts;
  return {
    name,
    defaultName,
    expand(input) {
      const coders = parts.outputs(input);
      if (coders.has(FAILURES)) throw new PipelineError("duplicate_output", `"${title}" has an output "${FAILURES}" of its own`);
      input.graph.setPrimitive({ kind: "par-do", doFn: withDeadLetters(parts, [...coders.keys()], attempts) });
      const made = [...coders].map(([tag, coder]) => [tag, input.graph.output(coder, input.windowing, tag)] as const);
      const failures = input.graph.output<Failure<T>>(coderOfFailures(input.coder), input.windowing, FAILURES);
      // What the transform itself would have given: its types were checked when it was made.
      return { output: (tagged ? Object.fromEntries(made) : made[0][1]) as Out, failures };
    },
  };

  function withDeadLetters({ tagged: isTagged }: FunctionParts, tags: readonly string[], times: number): DoFn {
    const spec: UntypedParDo = guarded(doFn, { isTagged, failures: FAILURES, attempts: times });
    const { concurrency, sideInputs, allowedSkewMs, requiresStableInput } = doFn;
    return { kind: "par-do", spec, tags: [...tags, FAILURES], concurrency, sideInputs, allowedSkewMs, requiresStableInput };
  }
}

function coderOfFailures(element: Coder<unknown>): Coder<unknown> {
  return element === anyValue ? anyValue : failureCoder(element);
}
