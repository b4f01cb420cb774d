import type { Coder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import {
  EXPIRATION_FAMILY,
  type DoFn,
  type Emit,
  type FunctionContext,
  type ManyOutputs,
  type SetupContext,
  type UntypedStatefulParDo,
} from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { SideInputs } from "../model/side-input.js";
import type { FiringTimer, StateHandles, StateSpecs, TimerHandles, TimerSpecs } from "../model/state-spec.js";
import { anyValue } from "./element-coder.js";
import { withReason } from "./function-parts.js";
import { keyedCoders } from "./keyed-coder.js";
import { isOutputSpec, type OutputSpec, type OutputSpecs, type TaggedEmit, type TaggedOutputs } from "./par-do.js";

type None = Record<never, never>;

/** What the functions of a stateful ParDo share: the state and the timers of the key and window that they are called for. */
interface Keyed<E, S extends StateSpecs, T extends TimerSpecs, L> {
  readonly state: StateHandles<S>;
  readonly timers: TimerHandles<T>;
  readonly emit: E;
  readonly local: L;
  /** Whether the job is being drained: its sources have been told to end, and timers fire that would have waited. */
  readonly isDraining: boolean;
}

/** What `process` receives beside the element. */
export type StatefulContext<E, S extends StateSpecs, T extends TimerSpecs, L, I extends SideInputs = None> = FunctionContext<I> &
  Keyed<E, S, T, L>;

/** What the callback of a timer receives beside the timer; `timestamp` is that of what it puts out. */
export type TimerContext<E, S extends StateSpecs, T extends TimerSpecs, L, I extends SideInputs = None> = FunctionContext<I> &
  Keyed<E, S, T, L>;

/** What `onWindowExpiration` receives beside the key; what it puts out is at the end of the window. */
export type ExpirationContext<E, S extends StateSpecs, L, I extends SideInputs = None> = FunctionContext<I> &
  Omit<Keyed<E, S, None, L>, "timers">;

interface StatefulLifecycle<K, V, E, S extends StateSpecs, T extends TimerSpecs, L, I extends SideInputs, R> {
  /** Cells of state, per key and window, by name. */
  readonly state?: S;
  /** Timers, per key and window, by name. */
  readonly timers?: T;
  /** Side inputs, by the names under which functions find them in their second parameter. */
  readonly with?: I;
  /** How far back from its input's an emitted timestamp may be, in milliseconds; default 0. Forwards it may be moved freely. */
  readonly allowedSkewMs?: number;
  /**
   * For functions with effects of their own, such as a request that must not be made twice with different contents: whenever elements are given to
   * the transform again, after a failure, they are the same as before. Costs a hop where they come from another function. Default false.
   */
  readonly requiresStableInput?: boolean;
  /**
   * Elements of a key and window come by ascending timestamp, and timers of event time in their order among them. For that an element waits until
   * the watermark has passed it by the allowed lateness; what comes later is dropped, and counted in the run's metrics. Default false.
   */
  readonly requiresTimeSortedInput?: boolean;
  /** Once per task, before anything else; what it returns is `local` in the other functions. */
  setup?: (context: SetupContext) => L | Promise<L>;
  /** Best effort, at the end of the task. */
  teardown?: (context: { readonly local: L }) => void | Promise<void>;
  /** Called for each element, once for each of its windows; never for two elements of a key at a time. */
  process: (element: KV<K, V>, context: StatefulContext<E, S, T, L, I>) => R | Promise<R>;
  /** What is called when timers fire, by their names. */
  onTimer?: { readonly [Name in keyof T]: (timer: FiringTimer<K>, context: TimerContext<E, S, T, L, I>) => R | Promise<R> };
  /** Called once for each key of a window that expires, while its state is still there: behind its end and the allowed lateness. */
  onWindowExpiration?: (expired: { readonly key: K }, context: ExpirationContext<E, S, L, I>) => R | Promise<R>;
}

/** A ParDo with state and one output: what its functions return as an iterable, or emit. */
export interface StatefulParDoSpec<K, V, O, S extends StateSpecs, T extends TimerSpecs, L, I extends SideInputs> extends StatefulLifecycle<
  K,
  V,
  Emit<O>,
  S,
  T,
  L,
  I,
  ManyOutputs<O>
> {
  readonly outputs?: OutputSpec<O>;
}

/** A ParDo with state and tagged outputs. */
export interface TaggedStatefulParDoSpec<
  K,
  V,
  O extends OutputSpecs,
  S extends StateSpecs,
  T extends TimerSpecs,
  L,
  I extends SideInputs,
> extends StatefulLifecycle<K, V, TaggedEmit<O>, S, T, L, I, void> {
  readonly outputs: O;
}

/** What the implementation reads of either form; the overloads have checked the rest. */
interface UncheckedSpec {
  readonly state?: StateSpecs;
  readonly timers?: TimerSpecs;
  readonly with?: SideInputs;
  readonly allowedSkewMs?: number;
  readonly requiresStableInput?: boolean;
  readonly requiresTimeSortedInput?: boolean;
  readonly outputs?: OutputSpec<unknown> | OutputSpecs;
  readonly onTimer?: Readonly<Record<string, unknown>>;
}

/**
 * A ParDo whose functions have state and timers of their element's key and window (Beam's stateful DoFn). Elements of a key come to one task, and a
 * task has one call at a time: nothing needs a lock, and an `async` call that waits holds up the other keys of its task. State is dropped when its window expires; small cells are read and written at once, large ones page by page.
 * What a function changes holds only if its bundle succeeds.
 *
 * @throws PipelineError at construction when the key coder is not deterministic, windows merge, or a timer has no callback
 * @example
 * ```ts
 * const suspicious = sales.apply(
 *   statefulParDo({
 *     state: { total: combining(sumFn) },
 *     timers: { reset: eventTimer() },
 *     process({ key, value }, { state, timers, timestamp, emit }) {
 *       state.total.add(value);
 *       timers.reset.set(timestamp + hours(24));
 *       if (state.total.read() > 10_000) emit({ card: key, total: state.total.read() });
 *     },
 *     onTimer: { reset: (_timer, { state }) => state.total.clear() },
 *   }),
 * );
 * ```
 */
export function statefulParDo<
  K,
  V,
  const O extends OutputSpecs,
  const S extends StateSpecs = None,
  const T extends TimerSpecs = None,
  L = undefined,
  const I extends SideInputs = None,
>(spec: TaggedStatefulParDoSpec<K, V, O, S, T, L, I>): PTransform<PCollection<KV<K, V>>, TaggedOutputs<O>>;
export function statefulParDo<
  K,
  V,
  const O extends OutputSpecs,
  const S extends StateSpecs = None,
  const T extends TimerSpecs = None,
  L = undefined,
  const I extends SideInputs = None,
>(name: string, spec: TaggedStatefulParDoSpec<K, V, O, S, T, L, I>): PTransform<PCollection<KV<K, V>>, TaggedOutputs<O>>;
export function statefulParDo<
  K,
  V,
  O,
  const S extends StateSpecs = None,
  const T extends TimerSpecs = None,
  L = undefined,
  const I extends SideInputs = None,
>(spec: StatefulParDoSpec<K, V, O, S, T, L, I>): PTransform<PCollection<KV<K, V>>, PCollection<O>>;
export function statefulParDo<
  K,
  V,
  O,
  const S extends StateSpecs = None,
  const T extends TimerSpecs = None,
  L = undefined,
  const I extends SideInputs = None,
>(name: string, spec: StatefulParDoSpec<K, V, O, S, T, L, I>): PTransform<PCollection<KV<K, V>>, PCollection<O>>;
export function statefulParDo(...args: [string, UncheckedSpec] | [UncheckedSpec]): PTransform<PCollection<KV<unknown, unknown>>, unknown> {
  const [name, spec] = args.length === 2 ? args : [undefined, args[0]];
  const { outputs, state = {}, timers = {} } = spec;
  const tagged = outputs !== undefined && !isOutputSpec(outputs) ? outputs : undefined;
  const tags = tagged === undefined ? ["out"] : Object.keys(tagged);
  const doFn: DoFn = {
    kind: "stateful",
    spec: spec as unknown as UntypedStatefulParDo,
    tags,
    concurrency: 1,
    state,
    timers,
    sideInputs: spec.with,
    allowedSkewMs: spec.allowedSkewMs,
    requiresStableInput: spec.requiresStableInput,
    requiresTimeSortedInput: spec.requiresTimeSortedInput,
  };
  const transform: PTransform<PCollection<KV<unknown, unknown>>, unknown> = {
    name,
    defaultName: "statefulParDo",
    expand(input) {
      const transform = input.graph.currentName;
      check(transform, spec, input);
      input.graph.setPrimitive({ kind: "par-do", doFn, keyCoder: keyedCoders(input).keyCoder });
      const coderOf = (output: OutputSpec<unknown> | undefined): Coder<unknown> => output?.coder ?? anyValue;
      if (tagged === undefined) return input.graph.output(coderOf(outputs as OutputSpec<unknown> | undefined), input.windowing);
      return Object.fromEntries(tags.map((tag) => [tag, input.graph.output(coderOf(tagged[tag]), input.windowing, tag)]));
    },
  };
  return withReason(
    transform,
    "has state, which a call that fails would leave half changed: catch in its functions, and emit to an output of your own",
  );
}

function check(transform: string, { state = {}, timers = {}, onTimer = {} }: UncheckedSpec, { windowing }: PCollection<unknown>): void {
  const refuse = (what: string): never => {
    throw new PipelineError("bad_stateful_par_do", `transform "${transform}" ${what}`);
  };
  if (windowing.windowFn.merging && windowing.alreadyMerged !== true)
    refuse(
      "has state or timers, but its input's windows merge, and nobody knows how to merge state; group by key before, or window it otherwise",
    );
  if (Object.keys(state).length + Object.keys(timers).length === 0) refuse("declares neither state nor timers; use parDo()");
  if (Object.hasOwn(timers, EXPIRATION_FAMILY))
    refuse(`declares a timer "${EXPIRATION_FAMILY}", which is what expired windows call; rename it`);
  for (const name of Object.keys(timers))
    if (typeof onTimer[name] !== "function") refuse(`declares a timer "${name}" without a callback; add onTimer.${name}`);
  for (const name of Object.keys(onTimer))
    if (!Object.hasOwn(timers, name)) refuse(`has a callback onTimer.${name} for a timer that it does not declare`);
}
