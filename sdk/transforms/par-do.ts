import { coderOf, type Coder } from "../../portability/coders/index.js";
import type { RowSchema } from "../../portability/schemas/index.js";
import type { DoFn, Emit, FunctionContext, FunctionOptions, ManyOutputs, SetupContext, UntypedParDo } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { SideInputs } from "../model/side-input.js";
import type { WindowingStrategy } from "../model/windowing.js";
import { anyValue } from "./element-coder.js";
import { withParts, type StatelessDoFn } from "./function-parts.js";

/** Declares an output: its element type, and optionally its coder. */
export interface OutputSpec<T> {
  readonly coder: Coder<unknown> | undefined;
  /** Only for the type checker. */
  readonly elementType?: () => T;
}

/**
 * An output whose elements are of type `T`.
 *
 * @example
 * ```ts
 * parDo({ outputs: { even: output<number>(), odd: output<number>() }, process(n: number, { emit }) { (n % 2 ? emit.odd : emit.even)(n); } });
 * ```
 */
export function output<T>(coder?: Coder<T>): OutputSpec<T> {
  return { coder: coder as Coder<unknown> | undefined };
}

/**
 * An output whose elements are the rows of a schema, or those of a coder.
 *
 * @example `parDo({ outputs: of(Order), process: (line: string, { emit }) => emit(parse(line)) })`
 */
export function of<T>(schemaOrCoder: RowSchema<T> | Coder<T>): OutputSpec<T> {
  return output("shape" in schemaOrCoder ? coderOf(schemaOrCoder) : schemaOrCoder);
}

/** The declared outputs of a ParDo, by tag. */
export type OutputSpecs = Readonly<Record<string, OutputSpec<unknown>>>;
type ElementOf<S> = S extends OutputSpec<infer T> ? T : never;
/** One emit function per declared tag. */
export type TaggedEmit<O extends OutputSpecs> = { readonly [Tag in keyof O]: Emit<ElementOf<O[Tag]>> };
/** One PCollection per declared tag. */
export type TaggedOutputs<O extends OutputSpecs> = { readonly [Tag in keyof O]: PCollection<ElementOf<O[Tag]>> };

/** What `process` receives beside the element. */
export type ProcessContext<E, L, S extends SideInputs = None> = FunctionContext<S> & {
  readonly emit: E;
  readonly local: L;
  /** Whether the job is being drained: its sources have been told to end, and what still comes may be there for that reason alone. */
  readonly isDraining: boolean;
};

type None = Record<never, never>;

interface Lifecycle<E, L, S extends SideInputs> extends FunctionOptions<S> {
  /** How far back from its input's an emitted timestamp may be, in milliseconds; default 0. Forwards it may be moved freely. */
  readonly allowedSkewMs?: number;
  /**
   * For functions with effects of their own, such as a request that must not be made twice with different contents: whenever elements are given to
   * the transform again, after a failure, they are the same as before. Costs a hop where they come from another function. Default false.
   */
  readonly requiresStableInput?: boolean;
  /** Once per task, before anything else; what it returns is `local` in the other functions. */
  setup?: (context: SetupContext) => L | Promise<L>;
  startBundle?: (context: { readonly local: L }) => void | Promise<void>;
  /** May emit; elements emitted here are at the end of the global window unless told otherwise: `emit(value, { timestamp, window })`. */
  finishBundle?: (context: { readonly emit: E; readonly local: L }) => void | Promise<void>;
  /** Best effort, at the end of the task. */
  teardown?: (context: { readonly local: L }) => void | Promise<void>;
}

/** A ParDo with one output: what `process` returns as an iterable, or emits. */
export interface ParDoSpec<T, O, L, S extends SideInputs = None> extends Lifecycle<Emit<O>, L, S> {
  outputs?: OutputSpec<O>;
  process: (element: T, context: ProcessContext<Emit<O>, L, S>) => ManyOutputs<O> | Promise<ManyOutputs<O>>;
}

/** A ParDo with tagged outputs. */
export interface TaggedParDoSpec<T, O extends OutputSpecs, L, S extends SideInputs = None> extends Lifecycle<TaggedEmit<O>, L, S> {
  outputs: O;
  process: (element: T, context: ProcessContext<TaggedEmit<O>, L, S>) => void | Promise<void>;
}

/** What the implementation reads of either form; the overloads have checked the rest. */
interface UncheckedSpec extends FunctionOptions<SideInputs> {
  readonly allowedSkewMs?: number;
  readonly requiresStableInput?: boolean;
  readonly outputs?: OutputSpec<unknown> | OutputSpecs;
}

/**
 * Calls `process` for every element, once for each of its windows: Beam's ParDo, with its lifecycle.
 *
 * @example
 * ```ts
 * const { even, odd } = numbers.apply(parDo("split", {
 *   outputs: { even: output<number>(), odd: output<number>() },
 *   process(n, { emit }) { n % 2 === 0 ? emit.even(n) : emit.odd(n); },
 * }));
 * ```
 */
export function parDo<T, const O extends OutputSpecs, L = undefined, const S extends SideInputs = None>(
  spec: TaggedParDoSpec<T, O, L, S>,
): PTransform<PCollection<T>, TaggedOutputs<O>>;
export function parDo<T, const O extends OutputSpecs, L = undefined, const S extends SideInputs = None>(
  name: string,
  spec: TaggedParDoSpec<T, O, L, S>,
): PTransform<PCollection<T>, TaggedOutputs<O>>;
export function parDo<T, O, L = undefined, const S extends SideInputs = None>(
  spec: ParDoSpec<T, O, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function parDo<T, O, L = undefined, const S extends SideInputs = None>(
  name: string,
  spec: ParDoSpec<T, O, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function parDo(...args: [string, UncheckedSpec] | [UncheckedSpec]): PTransform<PCollection<unknown>, unknown> {
  const [name, spec] = args.length === 2 ? args : [undefined, args[0]];
  const { outputs } = spec;
  const tagged = outputs !== undefined && !isOutputSpec(outputs) ? outputs : undefined;
  const tags = tagged === undefined ? ["out"] : Object.keys(tagged);
  const doFn: StatelessDoFn = {
    kind: "par-do",
    spec: spec as unknown as UntypedParDo,
    tags,
    concurrency: spec.concurrency ?? 16,
    sideInputs: spec.with,
    allowedSkewMs: spec.allowedSkewMs,
    requiresStableInput: spec.requiresStableInput,
  };
  const coderOf = (tag: string): Coder<unknown> =>
    (tagged === undefined ? (outputs as OutputSpec<unknown> | undefined) : tagged[tag])?.coder ?? anyValue;
  const transform: PTransform<PCollection<unknown>, unknown> = {
    name,
    defaultName: "parDo",
    expand(input) {
      input.graph.setPrimitive({ kind: "par-do", doFn });
      const made = tags.map((tag) => [tag, input.graph.output(coderOf(tag), input.windowing, tag)] as const);
      return tagged === undefined ? made[0][1] : Object.fromEntries(made);
    },
  };
  return withParts(transform, {
    doFn,
    tagged: tagged !== undefined,
    outputs: () => new Map(tags.map((tag) => [tag, coderOf(tag)])),
  });
}

/** @internal */
export function isOutputSpec(outputs: OutputSpec<unknown> | OutputSpecs): outputs is OutputSpec<unknown> {
  return "coder" in outputs && (outputs.coder === undefined || typeof (outputs.coder as Coder<unknown>).encode === "function");
}

/** A ParDo of one function kind: the body of map, filter, flatMap and their like. @internal */
export function elementwise<T, O>(
  name: string | undefined,
  defaultName: string,
  doFn: DoFn,
  coder: (input: PCollection<T>) => Coder<unknown> = () => anyValue,
  windowing?: WindowingStrategy,
): PTransform<PCollection<T>, PCollection<O>> {
  const transform: PTransform<PCollection<T>, PCollection<O>> = {
    name,
    defaultName,
    expand(input) {
      input.graph.setPrimitive({ kind: "par-do", doFn });
      return input.graph.output<O>(coder(input), windowing ?? input.windowing);
    },
  };
  // What has state, or depends on another windowing than the input's, cannot be taken apart.
  if (windowing !== undefined || doFn.kind === "stateful" || doFn.kind === "splittable") return transform;
  return withParts(transform, { doFn, tagged: false, outputs: (input) => new Map([["out", coder(input as PCollection<T>)]]) });
}
