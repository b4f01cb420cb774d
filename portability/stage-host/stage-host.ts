// How the runner has user code executed, whoever wrote it (design 3.5).
//
// A *stage host* executes the fused stages of one environment. The embedded host runs TypeScript functions in this
// process on plain objects; a remote host speaks the Fn API to a harness in another process. The runner sees only
// this interface. Calling order, for each executor:
//
//   open → ( startBundle → receiver()(…)* → finishBundle )* → close
//
// H1. Receivers are synchronous. A host that cannot take more says so by `blocked()`: the runner then waits for that
//     promise before it delivers the next element. Elements delivered meanwhile are kept, never lost.
//     A host may put out at any time while a bundle is open; where `shouldPause` says so it keeps what it has, until the runner
//     waits for `blocked` or `finishBundle`: only then is anybody told to go on by `resume`.
// H2. Outputs of a bundle reach `StageContext.outputs` before `finishBundle` resolves, and never after.
// H3. A failure of user code surfaces as a rejected/thrown UserCodeError from a receiver, `finishBundle` or `blocked`;
//     after it the executor accepts only `abort` and `close`, and from `abort` on it puts out nothing more. The runner may then open the
//     stage anew and deliver the elements of the bundle once more: whatever an executor did in it besides its outputs must bear that.
// H4. Element values cross this interface in the form that `coder()` of the same host encodes and decodes; that may be their bytes.
//     A grouping reads `key` and `value` of a keyed element and gives back a KV of the key and an array of values; the impulse is
//     what the coder makes of its encoding. Nothing else is known of any value.
// H5. Side inputs are kept by the runner. An element is delivered only when, for each side input of the stage, the window that the
//     element's windows map to is complete; then `SideInput.values` of that window may be asked, until the bundle ends.
// H6. State and timers are kept by the runner, too, for the one stateful transform that a stage may have, which reads the stage's input. Its
//     elements come in one window each, equal keys to one executor; `StageContext.keyed` is about the key and window that was delivered
//     last, until the next is: what goes on in between is shown by `blocked`.
//
// A host may have sources of its own, whose elements the runner feeds to a stage like any others:
//
//   openSource → ( read | watermark )* → close
//
// H7. A reader is only ever called by the runner, one call at a time; `read` and `watermark` are synchronous. It never calls back but by
//     what it was given: `emit` during `read`, `available` at any other time.
// H8. `read` ends soon after `emit` was false, and says when it is to be called again. It is called earlier only after `available`, so a
//     reader that has something at last says so, once for all it has by then.
// H9. `watermark` covers all that was emitted before; it may be lower than before, the runner does not go back.
// H10. A failure of the source surfaces from `openSource` or `read` as a UserCodeError. `close` may come at any time and more than once; nothing
//     of the reader is open outside of the process when it resolves. Readers that nobody closed are closed with the host.
import type { Coder } from "../coders/coder.js";
import type { Metric } from "../metrics/index.js";
import type { Receiver, Timestamp, Window } from "../values/index.js";
import type { WindowFn } from "../windows/index.js";
import type { FiredTimer, KeyedState } from "./keyed-state.js";
import type { StageDescriptor } from "./stage-descriptor.js";

/** Executes the stages of one environment; see the head of this file for the order of calls. */
export interface StageHost {
  /** The coder by which elements of a PCollection leave or enter the process. */
  coder(descriptor: StageDescriptor, coderId: string): Coder<unknown>;
  /**
   * The window function of a strategy, for windows that the runner has to assign, for side inputs, or to merge; undefined for a host that
   * cannot be asked.
   */
  windowFn?(descriptor: StageDescriptor, windowingStrategyId: string): WindowFn | undefined;
  /** Prepares a stage for execution by one task; user `setup` functions have run when it resolves. */
  open(descriptor: StageDescriptor, context: StageContext): Promise<StageExecutor>;
  /**
   * Opens one of `count` readers of a source, a transform of `beam:transform:read:v1` in the descriptor's components (H7); undefined for a host
   * without sources.
   */
  openSource?(descriptor: StageDescriptor, transformId: string, context: SourceContext): Promise<SourceReader>;
  close(): Promise<void>;
}

/** What the runner hands to a reader. */
export interface SourceContext {
  /** Which of the readers of its source it is, from 0. */
  readonly index: number;
  /** How many readers the source has; each reads a share of its own. */
  readonly count: number;
  /** Processing time, in milliseconds. */
  now(): number;
  /** To be called when there may be something to read before the time that `read` named (H8). */
  available(): void;
}

/** Takes an element of a source, with its event time in whole milliseconds; false: no more for now. */
export type EmitFromSource = (value: unknown, timestamp: Timestamp) => boolean;

/**
 * When a source is to be read again: at once, never, or at a processing time; Infinity where only {@link SourceContext.available} will
 * tell.
 */
export type NextRead = "more" | "end" | number;

/** One reader of an unbounded source, in one task. */
export interface SourceReader {
  /** Milliseconds without an element after which nobody is to wait for this reader's watermark; Infinity for never. */
  readonly idleAfterMs: number;
  /** Whether the watermark moves although nothing is read. */
  readonly followsClock: boolean;
  /** Emits what is there. */
  read(emit: EmitFromSource): NextRead;
  /** No element that is emitted from now on is earlier, but for those that are late. */
  watermark(): Timestamp;
  close(): Promise<void>;
}

/** A PCollection that transforms of a stage read whole, a window at a time (H5). */
export interface SideInput {
  /** All elements of one window, in no particular order; empty for a window without any. The same array as long as it is the same content. */
  values(window: Window): readonly unknown[];
}

/** What the runner hands to a stage: where its outputs go, and when a long-running call should pause. */
export interface StageContext {
  /** Receiver for the PCollection of each output port of the descriptor. */
  readonly outputs: ReadonlyMap<string, Receiver>;
  /** By PCollection id, each PCollection of the descriptor's `sideInputs`. */
  readonly sideInputs: ReadonlyMap<string, SideInput>;
  /** State and timers of the stage's stateful transform; undefined where it has none (H6). */
  readonly keyed?: KeyedState;
  /** True when outputs are full or the task's turn is over: an executor in the midst of a long output pauses. */
  shouldPause(): boolean;
  /** Resolves when the task may go on after {@link shouldPause} was true. */
  resume(): Promise<void>;
}

/** What an executor has counted. */
export interface StageCounts {
  /** Elements by PCollection id. */
  readonly elements: ReadonlyMap<string, number>;
  readonly metrics: readonly Metric[];
}

/** One stage of one task, ready to be fed. */
export interface StageExecutor {
  /** Receiver for the elements of one input PCollection of the descriptor. */
  receiver(pcollectionId: string): Receiver;
  /** Calls back for a timer of the stateful transform, as {@link receiver} delivers an element (H6). */
  fire?(timer: FiredTimer): void;
  startBundle(): void | Promise<void>;
  /** A promise that settles when more elements can be taken, or undefined if they can be now. */
  blocked(): Promise<void> | undefined;
  /** For people: which user code has not settled yet, if the executor knows. */
  describeWait?(): string | undefined;
  /** Ends the bundle: resolves when all of its outputs were delivered. Synchronous whenever user code was. */
  finishBundle(): void | Promise<void>;
  /** Drops an open bundle after a failure or a cancellation. */
  abort(): void;
  /** Elements that each PCollection of the stage has received since {@link StageHost.open}, by PCollection id. */
  elementCounts(): ReadonlyMap<string, number>;
  /** The user metrics of the stage's transforms since {@link StageHost.open}, those of a failed or unfinished bundle included. */
  metrics?(): readonly Metric[];
  /** Both of the finished bundles alone. An executor without it is taken to count nothing before a bundle is finished. */
  committed?(): StageCounts;
  close(): Promise<void>;
}
