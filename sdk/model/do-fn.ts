import type { Coder } from "../../portability/coders/index.js";
import type { RunCheckpoints } from "../../portability/stage-host/index.js";
import type { PaneInfo, Timestamp, Window } from "../../portability/values/index.js";
import type { RestrictionTracker, WatermarkEstimation, WatermarkEstimator } from "./restriction.js";
import type { SideInputs, SideInputViews } from "./side-input.js";
import type { StateSpecs, TimerSpecs } from "./state-spec.js";

/** What a function may ask about the element it is called with. */
export interface ElementContext {
  readonly timestamp: Timestamp;
  /** An element of several windows is given to the function once for each, if the function declares this parameter. */
  readonly window: Window;
  readonly pane: PaneInfo;
}

/** What an author's function may give back where results are optional or many. */
export type ManyOutputs<O> = void | undefined | null | Iterable<O> | AsyncIterable<O>;

/** Options of a transform that calls one function for each element. */
export interface FunctionOptions<S extends SideInputs> extends AsyncOptions {
  /** Side inputs, by the names under which the function finds them in its second parameter. */
  readonly with?: S;
}

/** What a function receives beside the element: what may be asked about it, and the declared side inputs. */
export type FunctionContext<S extends SideInputs> = ElementContext & SideInputViews<S>;

/** How `async` calls of one function overlap. */
export interface AsyncOptions {
  /** Most calls under way at a time in one task; further elements wait. Default 16. */
  readonly concurrency?: number;
}

interface Common {
  readonly concurrency: number;
  readonly sideInputs?: SideInputs;
  /** How far back timestamps may be moved, in milliseconds; default 0. */
  readonly allowedSkewMs?: number;
  readonly requiresStableInput?: boolean;
}

/** A ParDo of one function. */
export interface FunctionDoFn extends Common {
  readonly kind: "map" | "filter" | "flat-map";
  readonly fn: (value: never, context: never) => unknown;
}

/** The functions of one ParDo, in the form that the harness executes. */
export type DoFn =
  | FunctionDoFn
  | (Common & { readonly kind: "timestamp"; readonly fn: (value: never) => Timestamp | Promise<Timestamp> })
  | (Common & { readonly kind: "par-do"; readonly spec: UntypedParDo; readonly tags: readonly string[] })
  | StatefulDoFn
  | SplittableDoFn;

/** A ParDo with state and timers. */
export interface StatefulDoFn extends Common {
  readonly kind: "stateful";
  readonly spec: UntypedStatefulParDo;
  readonly tags: readonly string[];
  readonly state: StateSpecs;
  readonly timers: TimerSpecs;
  readonly requiresTimeSortedInput?: boolean;
}

/** A ParDo whose elements are divided into restrictions. */
export interface SplittableDoFn extends Common {
  readonly kind: "splittable";
  readonly spec: UntypedSplittableParDo;
  readonly tags: readonly string[];
  readonly restrictionCoder: Coder<unknown>;
  readonly watermark: UntypedWatermark;
  readonly watermarkStateCoder: Coder<unknown>;
  /** Whether it has functions called when its bundles are durable. */
  readonly finalizes: boolean;
}

/** How a watermark is estimated, once its types have been checked. */
export type UntypedWatermark = WatermarkEstimation<unknown, WatermarkEstimator<unknown>>;

/** The timer family by which a runner tells that a window has expired. */
export const EXPIRATION_FAMILY = "onWindowExpiration";

/** What `setup` receives. */
export interface SetupContext {
  /**
   * Has a function called when the run is over in this process, however it ended: the place to remove what must not stay. What it
   * throws is not heard.
   */
  readonly atEnd: (fn: EndFunction) => void;
  /**
   * The run's checkpoints; undefined where it takes none. With checkpoints another run may go on when this one is over, unless that is complete: what
   * elements refer to must still be there then.
   */
  readonly checkpoints: RunCheckpoints | undefined;
}

/** What is called when the run is over in a process; `isComplete` if it has come to its end, and neither failed nor was cancelled. */
export type EndFunction = (end: { readonly isComplete: boolean }) => void | Promise<void>;

/** An author's ParDo object once its types have been checked. */
export interface UntypedParDo {
  setup?(context: SetupContext): unknown;
  startBundle?(context: { local: unknown }): unknown;
  process(element: unknown, context: unknown): unknown;
  finishBundle?(context: unknown): unknown;
  teardown?(context: { local: unknown }): unknown;
}

/** An author's splittable ParDo object once its types have been checked, with what it does not say filled in. */
export interface UntypedSplittableParDo {
  setup?(context: SetupContext): unknown;
  restriction(element: unknown, context: unknown): unknown;
  split?(element: unknown, restriction: unknown, context: unknown): unknown;
  size(element: unknown, restriction: unknown): number;
  tracker(restriction: unknown, element: unknown): RestrictionTracker<unknown, unknown>;
  truncate?(element: unknown, restriction: unknown, context: unknown): unknown;
  process(element: unknown, context: unknown): unknown;
  teardown?(context: { local: unknown }): unknown;
}

/** An author's stateful ParDo object once its types have been checked. */
export interface UntypedStatefulParDo {
  setup?(context: SetupContext): unknown;
  process(element: unknown, context: unknown): unknown;
  readonly onTimer?: Readonly<Record<string, (timer: unknown, context: unknown) => unknown>>;
  onWindowExpiration?(expired: unknown, context: unknown): unknown;
  teardown?(context: { local: unknown }): unknown;
}

/** When and where an emitted element is: in the windows of the input unless told otherwise. */
export interface EmitAt {
  readonly timestamp: Timestamp;
  readonly window?: Window;
}

/** Sends one element to an output, with the timestamp and windows of the input unless told otherwise. */
export type Emit<O> = (value: O, at?: Timestamp | EmitAt) => void;
