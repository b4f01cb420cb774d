import type { Coder } from "../../portability/coders/index.js";
import type { DoFn, StatefulDoFn } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";

/** The functions of a ParDo that keeps nothing between two elements. */
export type StatelessDoFn = Exclude<DoFn, StatefulDoFn>;

/** A transform that calls a function for each element, taken apart: for a transform that puts something around the function. */
export interface FunctionParts {
  readonly doFn: StatelessDoFn;
  /** Whether it has outputs by tag, be it one. */
  readonly tagged: boolean;
  /** The outputs by tag, in order, each with its coder. */
  readonly outputs: (input: PCollection<unknown>) => ReadonlyMap<string, Coder<unknown>>;
}

const known = new WeakMap<object, FunctionParts>();

/** Remembers what a transform consists of. */
export function withParts<T extends PTransform<PCollection<never>, unknown>>(transform: T, parts: FunctionParts): T {
  known.set(transform, parts);
  return transform;
}

/** Undefined for a transform that does not consist of a function alone. */
export function partsOf(transform: object): FunctionParts | undefined {
  return known.get(transform);
}
