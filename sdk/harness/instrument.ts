// Functions of an author whose metrics must find the transform they run for. Only for stages opened while metrics are in use.
import type { AsyncCombineFn } from "../model/combine-fn.js";
import type { DoFn } from "../model/do-fn.js";
import { enter, later, leave, type StepMetrics } from "../metrics/step-metrics.js";
import { isThenable } from "./ordered-calls.js";

type AnyFn = (a: unknown, b: unknown, c?: unknown) => unknown;

export function instrumentDoFn(doFn: DoFn, step: StepMetrics | undefined): DoFn {
  if (step === undefined) return doFn;
  if (doFn.kind === "par-do") {
    const spec = withInstrumented(doFn.spec, ["setup", "startBundle", "process", "finishBundle", "teardown"], step);
    return { ...doFn, spec };
  }
  if (doFn.kind === "stateful") {
    const spec = withInstrumented(doFn.spec, ["setup", "process", "onWindowExpiration", "teardown"], step);
    const { onTimer } = doFn.spec;
    return {
      ...doFn,
      spec: onTimer === undefined ? spec : Object.assign(spec, { onTimer: withInstrumented(onTimer, Object.keys(onTimer), step) }),
    };
  }
  if (doFn.kind === "splittable")
    return { ...doFn, spec: withInstrumented(doFn.spec, ["setup", "restriction", "split", "truncate", "process", "teardown"], step) };
  return { ...doFn, fn: instrument(doFn.fn as unknown as AnyFn, undefined, step) } as unknown as DoFn;
}

export function instrumentCombineFn<Fn extends AsyncCombineFn<unknown, unknown, unknown>>(fn: Fn, step: StepMetrics | undefined): Fn {
  return step === undefined ? fn : withInstrumented(fn, ["createAccumulator", "addInput", "mergeAccumulators", "extractOutput"], step);
}

/** An object like the given one, but for some of its methods. */
function withInstrumented<T extends object>(object: T, methods: readonly (keyof T)[], step: StepMetrics): T {
  const changed = Object.create(object) as T;
  for (const method of methods) {
    const fn = object[method];
    if (typeof fn === "function") changed[method] = instrument(fn as unknown as AnyFn, object, step) as unknown as T[keyof T];
  }
  return changed;
}

/**
 * A function that goes on later costs an AsyncLocalStorage, so only one that is known to do so is called that way: by its syntax, by the
 * first result, or by a promise that it has returned since.
 */
function instrument(fn: AnyFn, owner: object | undefined, step: StepMetrics): AnyFn {
  let goesOn = true; // until the first result shows that it does not
  let isFirst = true;
  return (a, b, c) => {
    const before = enter(step);
    let result: unknown;
    try {
      result = goesOn ? later(step, () => fn.call(owner, a, b, c)) : fn.call(owner, a, b, c);
    } finally {
      leave(before);
    }
    if (typeof result !== "object" || result === null) {
      if (isFirst) goesOn = isFirst = false;
      return result;
    }
    isFirst = false;
    goesOn = isThenable(result);
    return isGenerator(result) ? instrumentedGenerator(result, step) : result;
  };
}

type AnyGenerator = (Iterator<unknown> & Iterable<unknown>) | (AsyncIterator<unknown> & AsyncIterable<unknown>);

function isGenerator(result: object): result is AnyGenerator {
  return "next" in result && typeof result.next === "function" && (Symbol.iterator in result || Symbol.asyncIterator in result);
}

/** The body of a generator runs whenever it is asked for more. */
function instrumentedGenerator(generator: AnyGenerator, step: StepMetrics): unknown {
  const asked = (method: "next" | "return") => (): unknown => {
    const before = enter(step);
    try {
      return later(step, () => generator[method]?.());
    } finally {
      leave(before);
    }
  };
  const iterator = { next: asked("next"), return: asked("return") };
  return { [Symbol.asyncIterator in generator ? Symbol.asyncIterator : Symbol.iterator]: () => iterator };
}
