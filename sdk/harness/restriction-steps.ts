// The first two steps of a splittable ParDo, as functions of its own: pair each element with its restriction, and divide that.
//
// A restriction travels with the state of its watermark: kv<element, kv<restriction, state>>, and with its size kv<that, number>.
import { kv, type KV } from "../../portability/values/index.js";
import type { FunctionDoFn, SplittableDoFn } from "../model/do-fn.js";
import type { ReusedContext } from "./element-context.js";
import { isThenable } from "./ordered-calls.js";

/** An element and what there is to do for it. */
export type Paired = KV<unknown, KV<unknown, unknown>>;
export type Sized = KV<Paired, number>;

export function pairing({ spec, watermark, sideInputs }: SplittableDoFn): FunctionDoFn {
  const fn = (element: unknown, context: ReusedContext): unknown => {
    const state = watermark.initial(context.timestamp);
    const paired = (restriction: unknown): Paired => kv(element, kv(restriction, state));
    const restriction = spec.restriction(element, context);
    return isThenable(restriction) ? restriction.then(paired) : paired(restriction);
  };
  return { kind: "map", fn, concurrency: 16, sideInputs };
}

export function splitting({ spec, sideInputs }: SplittableDoFn): FunctionDoFn {
  const fn = (paired: Paired, context: ReusedContext): unknown => {
    const { key: element, value } = paired;
    if (spec.split === undefined) return [sized(spec, element, value.key, value.value)];
    const parts = spec.split(element, value.key, context);
    const each = (part: unknown): Sized => sized(spec, element, part, value.value);
    return isThenable(parts) ? parts.then((found) => mapped(found, each)) : mapped(parts, each);
  };
  return { kind: "flat-map", fn: fn as FunctionDoFn["fn"], concurrency: 16, sideInputs };
}

/** @throws RangeError for a size that is none */
export function sized(spec: SplittableDoFn["spec"], element: unknown, restriction: unknown, state: unknown): Sized {
  const found = spec.size(element, restriction);
  if (!(found >= 0)) throw new RangeError(`the size of a restriction must be a number of at least 0, not ${found}`);
  return kv(kv(element, kv(restriction, state)), found);
}

/** What gives nothing has nothing to do. */
function mapped(parts: unknown, fn: (part: unknown) => Sized): unknown {
  if (typeof parts !== "object" || parts === null) return parts;
  if (Array.isArray(parts)) return parts.map(fn);
  if (Symbol.iterator in parts) return mappedEach(parts as Iterable<unknown>, fn);
  return Symbol.asyncIterator in parts ? mappedLater(parts as AsyncIterable<unknown>, fn) : parts;
}

function* mappedEach(parts: Iterable<unknown>, fn: (part: unknown) => Sized): Generator<Sized> {
  for (const part of parts) yield fn(part);
}

async function* mappedLater(parts: AsyncIterable<unknown>, fn: (part: unknown) => Sized): AsyncGenerator<Sized> {
  for await (const part of parts) yield fn(part);
}
