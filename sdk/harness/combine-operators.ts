// The parts that a runner takes a CombinePerKey apart into (Beam's "combiner lifting").
//
//   precombine: KV<K, In>* → KV<K, Acc>        a bounded table per bundle, before the shuffle
//   merge:      KV<K, Acc[]> → KV<K, Acc>      behind the grouping
//   extract:    KV<K, Acc> → KV<K, Out>
//   grouped:    KV<K, In[]> → KV<K, Out>       the whole of it, where the runner did not lift
import { kv, type KV, type Receiver } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import { functionOperator } from "./function-operators.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable } from "./ordered-calls.js";
import { withOwnCode } from "./own-code.js";

type Fn = AsyncCombineFn<unknown, unknown, unknown>;

/** Keys whose combining has not settled, at most, in one task. */
export const COMBINE_CONCURRENCY = 16;

export function mergeAccumulatorsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("mergeAccumulators failed", next, scope, (accumulators) =>
    // One, where the grouping has merged them.
    Array.isArray(accumulators) && accumulators.length === 1 ? accumulators[0] : merged(fn, accumulators as Iterable<unknown>),
  );
}

export function extractOutputsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("extractOutput failed", next, scope, (accumulator) => fn.extractOutput(accumulator));
}

export function combineGroupedValuesOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("combining failed", next, scope, (inputs) => {
    const items = (inputs as Iterable<unknown>)[Symbol.iterator]();
    const combined = then(fn.createAccumulator(), (accumulator) => fold(accumulator, items, (acc, input) => fn.addInput(acc, input)));
    return then(combined, (accumulator) => fn.extractOutput(accumulator));
  });
}

export function convertToAccumulatorsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("addInput failed", next, scope, (input) => then(fn.createAccumulator(), (accumulator) => fn.addInput(accumulator, input)));
}

function merged(fn: Fn, accumulators: Iterable<unknown>): unknown {
  const items = accumulators[Symbol.iterator]();
  const first = items.next();
  if (first.done === true) return fn.createAccumulator();
  return fold(first.value, items, (left, right) => fn.mergeAccumulators(left, right));
}

/** What `step` makes of all items, one after the other; a promise only from the first one on that `step` returns. */
function fold(start: unknown, items: Iterator<unknown>, step: (result: unknown, item: unknown) => unknown): unknown {
  let result = start;
  for (let item = items.next(); item.done !== true; item = items.next()) {
    result = step(result, item.value);
    if (isThenable(result)) return result.then((settled) => fold(settled, items, step));
  }
  return result;
}

function then(value: unknown, fn: (settled: unknown) => unknown): unknown {
  return isThenable(value) ? value.then(fn) : fn(value);
}

function eachKey(action: string, next: Receiver, scope: OperatorScope, change: (value: unknown) => unknown): Operator {
  const fn = withOwnCode(makeEachKey)(action, scope, change, LIBRARY);
  return functionOperator({ kind: "map", fn, concurrency: COMBINE_CONCURRENCY }, next, scope, new Map());
}

/** Closed, see {@link withOwnCode}. */
const makeEachKey =
  (action: string, scope: OperatorScope, change: (value: unknown) => unknown, { isThenable, kv, later }: typeof LIBRARY) =>
  (element: KV<unknown, unknown>): unknown => {
    let result: unknown;
    try {
      result = change(element.value);
    } catch (cause) {
      throw scope.userError(action, cause, element);
    }
    if (Object.is(result, element.value)) return element; // the accumulator is the output, as that of a sum
    return typeof result === "object" && isThenable(result) ? later(action, scope, element, result) : kv(element.key, result);
  };

function later(action: string, scope: OperatorScope, element: KV<unknown, unknown>, result: PromiseLike<unknown>): PromiseLike<unknown> {
  return result.then(
    (settled) => kv(element.key, settled),
    (cause: unknown) => {
      throw scope.userError(action, cause, element);
    },
  );
}

const LIBRARY = { isThenable, kv, later };
