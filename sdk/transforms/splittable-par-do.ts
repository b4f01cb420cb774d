import type { Coder } from "../../portability/coders/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import type { Emit, FunctionContext, ManyOutputs, SetupContext, SplittableDoFn, UntypedSplittableParDo } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { RestrictionTracker, WatermarkEstimation, WatermarkEstimator } from "../model/restriction.js";
import type { SideInputs } from "../model/side-input.js";
import { anyValue } from "./element-coder.js";
import { offsetRangeTracker, type OffsetRange } from "./offset-range.js";
import { isOutputSpec, type OutputSpec, type OutputSpecs, type TaggedEmit, type TaggedOutputs } from "./par-do.js";

type None = Record<never, never>;

/** The restriction that a function works on, as it is claimed; of an `offsetRange` with its `start` and `end`, which comes nearer when it is split. */
export type ClaimedRange<R, P> = {
  readonly restriction: R;
  /**
   * Whether the position is to be processed. False: the rest is somebody else's, or to be gone on with later, and the function returns without
   * touching it.
   */
  tryClaim(position: P): boolean;
} & (R extends OffsetRange ? OffsetRange : unknown);

/** What `process` of a splittable ParDo receives beside the element, besides `emit` where its outputs are declared. */
export type SplittableContext<R, P, W, L, S extends SideInputs = None> = FunctionContext<S> & {
  readonly range: ClaimedRange<R, P>;
  /** The estimator that the spec's `watermark` makes. */
  readonly watermark: W;
  readonly local: L;
  /** Whether the job is being drained. */
  readonly isDraining: boolean;
  /** Processing time: the clock of the run, in milliseconds since 1970. In tests with a `testStream` it is virtual, and starts at 0. */
  readonly now: () => number;
  /**
   * What is not claimed when the function ends is gone on with so many milliseconds later, by another call; default 0. Nothing happens if all of it
   * is claimed.
   */
  readonly resume: (delayMs?: number) => undefined;
  /**
   * Has a function called once the outputs so far are durable, e.g. to acknowledge what was read; only where the spec says `finalizes`. It may not be
   * called at all: if the run fails before, or it would be later than in `expireAfterMs`. What it throws fails the run.
   */
  readonly onCommitted: (callback: () => void | Promise<void>, options: { readonly expireAfterMs: number }) => void;
};

interface SplittableLifecycle<T, R, P, W, L, S extends SideInputs> {
  /** What there is to do for an element, as plain data. */
  restriction: (element: T, context: FunctionContext<S>) => R | Promise<R>;
  /** Default: any plain JavaScript value. */
  restrictionCoder?: Coder<R>;
  /** Divides the work of an element before it begins, so that several tasks share it; default: it stays whole. */
  split?: (element: T, restriction: R, context: FunctionContext<S>) => ManyOutputs<R> | Promise<ManyOutputs<R>>;
  /** How much work a restriction is, in a unit of its own; default: what the tracker says is left. */
  size?: (element: T, restriction: R) => number;
  /** Keeps account of what is claimed; needed for every restriction that is no `offsetRange`. */
  tracker?: (restriction: R, element: T) => RestrictionTracker<R, P>;
  /**
   * What is left to do when the job is drained; undefined: nothing. Default: everything of a restriction with an end, nothing of one without.
   */
  truncate?: (element: T, restriction: R, context: FunctionContext<S>) => R | undefined | Promise<R | undefined>;
  /** Default: the watermark stays at the element's timestamp until the element is done. */
  watermark?: WatermarkEstimation<unknown, WatermarkEstimator<unknown> & W>;
  /** Whether an element may go on for ever. Then the output is unbounded; default false. */
  unbounded?: boolean;
  /** Whether `process` uses `onCommitted`; default false. */
  finalizes?: boolean;
  /** Side inputs, by the names under which functions find them in their context. */
  with?: S;
  /** How far back from its input's an emitted timestamp may be, in milliseconds; default 0. Forwards it may be moved freely. */
  allowedSkewMs?: number;
  /** Once per task, before anything else; what it returns is `local` in the other functions. */
  setup?: (context: SetupContext) => L | Promise<L>;
  /** Best effort, at the end of the task. */
  teardown?: (context: { readonly local: L }) => void | Promise<void>;
}

/** A splittable ParDo with one output: what `process` returns as an iterable. */
export interface SplittableParDoSpec<T, R, O, P, W, L, S extends SideInputs> extends SplittableLifecycle<T, R, P, W, L, S> {
  /** Works on a restriction of an element: claims a position, processes it, claims the next. */
  process: (element: T, context: SplittableContext<R, P, W, L, S>) => ManyOutputs<O> | Promise<ManyOutputs<O>>;
}

/** A splittable ParDo with one output that is declared: what `process` emits, or returns as an iterable. */
export interface EmittingSplittableParDoSpec<T, R, O, P, W, L, S extends SideInputs> extends SplittableLifecycle<T, R, P, W, L, S> {
  outputs: OutputSpec<O>;
  /** Works on a restriction of an element: claims a position, processes it, claims the next. */
  process: (element: T, context: SplittableContext<R, P, W, L, S> & { readonly emit: Emit<O> }) => ManyOutputs<O> | Promise<ManyOutputs<O>>;
}

/** A splittable ParDo with tagged outputs. */
export interface TaggedSplittableParDoSpec<T, R, O extends OutputSpecs, P, W, L, S extends SideInputs> extends SplittableLifecycle<
  T,
  R,
  P,
  W,
  L,
  S
> {
  outputs: O;
  /** Works on a restriction of an element: claims a position, processes it, claims the next. */
  process: (element: T, context: SplittableContext<R, P, W, L, S> & { readonly emit: TaggedEmit<O> }) => void | Promise<void>;
}

/** What the implementation reads of any form; the overloads have checked the rest. */
interface UncheckedSpec extends Omit<UntypedSplittableParDo, "size" | "tracker"> {
  readonly size?: UntypedSplittableParDo["size"];
  readonly tracker?: UntypedSplittableParDo["tracker"];
  readonly outputs?: OutputSpec<unknown> | OutputSpecs;
  readonly restrictionCoder?: Coder<unknown>;
  readonly watermark?: SplittableDoFn["watermark"];
  readonly unbounded?: boolean;
  readonly finalizes?: boolean;
  readonly with?: SideInputs;
  readonly allowedSkewMs?: number;
}

/**
 * A ParDo whose work for an element can be divided, and can be interrupted and gone on with (Beam's splittable DoFn): so that one element that
 * is a large file keeps many tasks busy, and one that never ends, like a log that is followed, lives in bundles like any other.
 *
 * The work of an element is a restriction: an `offsetRange`, or any plain data with a {@link RestrictionTracker}. Before `process` does something it
 * claims its position. When a claim is refused, the bundle has to end or the rest has been given away: it returns, and what was not claimed
 * is gone on with by another call, maybe in another task. A function that has nothing to do for now says `resume(delayMs)` and returns,
 * rather than to wait; one that returns without either, and has not claimed all of it, fails. To `emit`, with timestamps for one, it declares its
 * `outputs`; otherwise it returns or yields them.
 *
 * A task works on one element at a time. What a function does beside its outputs a retry repeats, from the last bundle on.
 *
 * @throws PipelineError at construction when an option does not fit; (at run time) UserCodeError for a restriction without a tracker
 * @example
 * ```ts
 * const blockBytes = 1000;
 * const readBlocks = splittableParDo({
 *   restriction: (file: { size: number }) => offsetRange(0, Math.ceil(file.size / blockBytes)),
 *   *process(file, { range }) {
 *     for (let block = range.start; range.tryClaim(block); block++) yield `block ${block} of ${file.size} bytes`;
 *   },
 * });
 * p.apply(files.match("README.md")).apply(readBlocks);
 * ```
 */
export function splittableParDo<
  T,
  const O extends OutputSpecs,
  R,
  P = number,
  W = undefined,
  L = undefined,
  const S extends SideInputs = None,
>(spec: TaggedSplittableParDoSpec<T, R, O, P, W, L, S>): PTransform<PCollection<T>, TaggedOutputs<O>>;
export function splittableParDo<
  T,
  const O extends OutputSpecs,
  R,
  P = number,
  W = undefined,
  L = undefined,
  const S extends SideInputs = None,
>(name: string, spec: TaggedSplittableParDoSpec<T, R, O, P, W, L, S>): PTransform<PCollection<T>, TaggedOutputs<O>>;
export function splittableParDo<T, R, O, P = number, W = undefined, L = undefined, const S extends SideInputs = None>(
  spec: EmittingSplittableParDoSpec<T, R, O, P, W, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function splittableParDo<T, R, O, P = number, W = undefined, L = undefined, const S extends SideInputs = None>(
  name: string,
  spec: EmittingSplittableParDoSpec<T, R, O, P, W, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function splittableParDo<T, R, O, P = number, W = undefined, L = undefined, const S extends SideInputs = None>(
  spec: SplittableParDoSpec<T, R, O, P, W, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function splittableParDo<T, R, O, P = number, W = undefined, L = undefined, const S extends SideInputs = None>(
  name: string,
  spec: SplittableParDoSpec<T, R, O, P, W, L, S>,
): PTransform<PCollection<T>, PCollection<O>>;
export function splittableParDo(...args: [string, unknown] | [unknown]): PTransform<PCollection<unknown>, unknown> {
  const [name, given] = args.length === 2 ? args : [undefined, args[0]];
  const spec = given as UncheckedSpec;
  const { outputs, unbounded = false } = spec;
  const tagged = outputs !== undefined && !isOutputSpec(outputs) ? outputs : undefined;
  const tags = tagged === undefined ? ["out"] : Object.keys(tagged);
  const coderOf = (output: OutputSpec<unknown> | undefined): Coder<unknown> => output?.coder ?? anyValue;
  return {
    name,
    defaultName: "splittableParDo",
    expand(input) {
      const { graph, windowing, isBounded } = input;
      graph.setPrimitive({ kind: "par-do", doFn: doFnOf(spec, tags, graph.currentName) });
      const made = (tag: string, output: OutputSpec<unknown> | undefined): PCollection<unknown> =>
        graph.output(coderOf(output), windowing, tag, isBounded && !unbounded);
      if (tagged === undefined) return made("out", outputs as OutputSpec<unknown> | undefined);
      return Object.fromEntries(tags.map((tag) => [tag, made(tag, tagged[tag])]));
    },
  };
}

function doFnOf(spec: UncheckedSpec, tags: readonly string[], transform: string): SplittableDoFn {
  for (const each of ["restriction", "process"] as const)
    if (typeof spec[each] !== "function")
      throw new PipelineError(
        "bad_splittable_par_do",
        `transform "${transform}" has no function \`${each}\`; every splittable ParDo needs one`,
      );
  const tracker = spec.tracker?.bind(spec) ?? trackerOfRange;
  const full: UntypedSplittableParDo = Object.assign(Object.create(spec) as object, {
    tracker,
    size: spec.size?.bind(spec) ?? ((element: unknown, restriction: unknown) => tracker(restriction, element).progress().left),
  }) as UntypedSplittableParDo;
  return {
    kind: "splittable",
    spec: full,
    tags,
    concurrency: 1,
    sideInputs: spec.with,
    allowedSkewMs: spec.allowedSkewMs,
    restrictionCoder: spec.restrictionCoder ?? anyValue,
    watermark: spec.watermark ?? HELD,
    watermarkStateCoder: spec.watermark?.stateCoder ?? anyValue,
    finalizes: spec.finalizes === true,
  };
}

/** What is put out of an element is at its own timestamp, unless it is said otherwise, and never earlier. */
const HELD: WatermarkEstimation<unknown, WatermarkEstimator<unknown>> = {
  initial: (timestamp) => timestamp,
  estimator: (state) => ({ current: () => state as Timestamp, state: () => state }),
};

function trackerOfRange(restriction: unknown): RestrictionTracker<unknown, unknown> {
  if (!isOffsetRange(restriction))
    throw new TypeError("its restrictions are no offsetRange(), so it needs a `tracker` that knows what of them is claimed");
  return offsetRangeTracker(restriction) as RestrictionTracker<unknown, unknown>;
}

function isOffsetRange(restriction: unknown): restriction is OffsetRange {
  if (typeof restriction !== "object" || restriction === null) return false;
  const { start, end } = restriction as Partial<OffsetRange>;
  return typeof start === "number" && typeof end === "number";
}
