import type { Coder } from "../../portability/coders/index.js";
import type { DoFn, SplittableDoFn, StatefulDoFn } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";

/** The functions of a ParDo that keeps nothing between two calls. */
export type StatelessDoFn = Exclude<DoFn, StatefulDoFn | SplittableDoFn>;

/** A transform that calls a function for each element, taken apart: for a transform that puts something around the function. */
export interface FunctionParts {
  readonly doFn: StatelessDoFn;
  /** Whether it has outputs by tag, be it one. */
  readonly tagged: boolean;
  /** The outputs by tag, in order, each with its coder. */
  readonly outputs: (input: PCollection<unknown>) => ReadonlyMap<string, Coder<unknown>>;
}

const known = new WeakMap<object, FunctionParts>();
/** Each a {@link Body} of its transform's types. */
const bodies = new WeakMap<object, unknown>();
const reasons = new WeakMap<object, string>();

/** Remembers what a transform consists of. */
export function withParts<T extends PTransform<PCollection<never>, unknown>>(transform: T, parts: FunctionParts): T {
  known.set(transform, parts);
  return transform;
}

/** Undefined for a transform that does not consist of a function alone. */
export function partsOf(transform: object): FunctionParts | undefined {
  return known.get(transform);
}

/** The same transform by another name: one that consists of what it did. */
export function called<In, Out>(name: string | undefined, defaultName: string, transform: PTransform<In, Out>): PTransform<In, Out> {
  const renamed = { ...transform, name, defaultName };
  const parts = partsOf(transform);
  if (parts !== undefined) known.set(renamed, parts);
  return renamed;
}

/** Puts something around a step. */
export type Around<T> = <Out>(step: PTransform<PCollection<T>, Out>) => PTransform<PCollection<T>, Out>;
/** Builds a transform out of others; `first` is put around the one that calls the author's function for each element of the input. */
export type Body<T, Out> = (input: PCollection<T>, first: Around<T>) => Out;

/** A transform that consists of several, of which one calls a function of the author's for each element of the input. */
export function fronted<T, Out>(name: string | undefined, defaultName: string, body: Body<T, Out>): PTransform<PCollection<T>, Out> {
  return withBody({ name, defaultName, expand: (input) => body(input, (step) => step) }, body);
}

/** Remembers how a transform could be built as {@link fronted} ones are. */
export function withBody<T, Out>(transform: PTransform<PCollection<T>, Out>, body: Body<T, Out>): PTransform<PCollection<T>, Out> {
  bodies.set(transform, body);
  return transform;
}

export function bodyOf<T, Out>(transform: PTransform<PCollection<T>, Out>): Body<T, Out> | undefined {
  return bodies.get(transform) as Body<T, Out> | undefined;
}

/** Remembers why failures of its functions are not those of an element, and what to do instead. */
export function withReason<In, Out>(transform: PTransform<In, Out>, reason: string): PTransform<In, Out> {
  reasons.set(transform, reason);
  return transform;
}

export function reasonOf(transform: object): string | undefined {
  return reasons.get(transform);
}
