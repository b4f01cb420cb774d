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
// H5. Side inputs are kept by the runner. An element is delivered, or a timer fired, only when, for each side input of the stage, the window that
//     the element's windows map to is ready: complete, or with a first pane. Then `SideInput.values` of that window may be asked, until the bundle ends.
// H6. State and timers are kept by the runner, too, for the one stateful transform that a stage may have, which reads the stage's input. Its
//     elements come in one window each, equal keys to one executor; `StageContext.keyed` is about the key and window that was delivered
//     last, or selected since, until the next is: what goes on in between is shown by `blocked`. Where a host learns of timers that were set or
//     cleared only when the bundle ends, it says `setsTimersLate`: the runner then delivers nothing in a bundle that they could have come before.
//     Where the stage is one task, and its host keeps state by protocol, the transform may read something else of the stage, and have state alone:
//     nothing is selected then but by the host.
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
// H11. `drain` comes at most once, at any time before `close`. From then on nothing is taken from outside; `read` gives what was taken before, then
//      says that it has ended.
//
// A host may merge accumulators of a combine for the grouping in front of it, so that the grouping keeps few of them:
//
// H12. A merge is synchronous, may be asked for at any time while the host is open, in a bundle or not, and never throws. It gives undefined
//     wherever one accumulator cannot stand for both yet: because merging fails, or takes its time, or because somebody could change one of
//     them. The grouping keeps both then, for the bundle that merges them: a failure is met again there, where it can be tried again and be told
//     with its element. So a merge changes neither accumulator, and what it gives can be changed by nobody.
//
// A stage may begin with one splittable transform (`sdf_process_sized_element_and_restrictions`); it is the only one that reads the stage's
// input, whose elements are `kv<kv<element, restriction>, size>`:
//
// H13. What a bundle leaves undone of a restriction is handed to `StageContext.restrictions.residual` before `finishBundle` resolves; what was
//     done and what is handed back are the restriction, and share nothing. The runner delivers a residual in a later bundle, when its delay is
//     over, as any other element. Residuals of a bundle that fails are dropped with its outputs.
// H14. Each delivery claims a position before it asks `shouldCheckpoint` for the first time, so that it gets further however small bundles are.
//     After true it comes to its end as soon as user code lets it.
// H15. `split` may be called while a bundle is open and no other call of the executor is under way; it splits the work that is waited for, such
//     that the given fraction of what is left stays where it is. With 0 that is as in H14. What is split off is a residual as in H13: a host that
//     has to ask somebody else may hand it back at any time before the bundle's end. A failure surfaces as in H3, never from `split`.
//     Where work does not wait it asks `shouldShare` at its claims instead, before `shouldCheckpoint`.
// H16. The watermark of a residual is what it was when the residual was split off; what the bundle puts out may be earlier.
// H17. When the runner takes no more from outside, each restriction that has not been truncated is, before anything else is done with it: user
//     code says what is left of it. Bounded ones stay, unbounded ones end, where user code says nothing.
// H18. A callback of `onCommitted` is called once after the bundle is durable, or never: if it fails, or the callback has expired.
import type { Coder } from "../coders/coder.js";
import type { Metric } from "../metrics/index.js";
import type { Receiver, Timestamp, Window } from "../values/index.js";
import type { WindowFn, WindowMerge } from "../windows/index.js";
import type { FiredTimer, KeyedState } from "./keyed-state.js";
import type { Progress, RestrictionContext } from "./restrictions.js";
import type { StageDescriptor } from "./stage-descriptor.js";

/** Executes the stages of one environment; see the head of this file for the order of calls. */
export interface StageHost {
  /** The coder by which elements of a PCollection leave or enter the process. */
  coder(descriptor: StageDescriptor, coderId: string): Coder<unknown>;
  /**
   * The coders of a cell of a stateful transform, of its values, or of a map's keys and values: for a host that knows more of them than their protos
   * say, such as what a number is to a function. Undefined: those are {@link coder}'s.
   */
  stateCoders?(descriptor: StageDescriptor, transformId: string, stateId: string): readonly Coder<unknown>[] | undefined;
  /**
   * The window function of a strategy, for windows that the runner has to assign, for side inputs, or to merge; undefined for a host that
   * cannot be asked.
   */
  windowFn?(descriptor: StageDescriptor, windowingStrategyId: string): WindowFn | undefined;
  /** What merges windows of a strategy whose window function the runner does not know; undefined for a host that cannot be asked. */
  windowMerger?(descriptor: StageDescriptor, windowingStrategyId: string): WindowMerger | undefined;
  /**
   * Merges two accumulators of the combine whose part, a transform of `beam:transform:combine_per_key_merge_accumulators:v1` in the descriptor's
   * components, is named (H12); undefined for a host that merges within bundles alone.
   */
  merger?(descriptor: StageDescriptor, transformId: string): MergeAccumulators | undefined;
  /**
   * Whether functions of this host ask for state by the protocol that its spec names, whatever it is to them: bags, multimaps and ordered lists of
   * bytes, in which a value of a bag or a map key is one or more values that came together.
   */
  readonly keepsStateByProtocol?: boolean;
  /** Whether stages are executed in another process, so that each bundle costs round trips and there should be few of them. */
  readonly isRemote?: boolean;
  /** Prepares a stage for execution by one task; user `setup` functions have run when it resolves. */
  open(descriptor: StageDescriptor, context: StageContext): Promise<StageExecutor>;
  /**
   * Opens one of `count` readers of a source, a transform of `beam:transform:read:v1` in the descriptor's components (H7); undefined for a host
   * without sources.
   */
  openSource?(descriptor: StageDescriptor, transformId: string, context: SourceContext): Promise<SourceReader>;
  /** @param isComplete whether the job has come to its end, so that nobody will go on with it */
  close(isComplete: boolean): Promise<void>;
}

/**
 * Tells which windows become one, for each of several keys, by the windows that it has; may be asked while the host is open. What the key had
 * merged before is among its windows. A failure is one of user code, and the merge may be asked for again.
 */
export type WindowMerger = (windowsOfKeys: readonly (readonly Window[])[]) => Promise<readonly (readonly WindowMerge[])[]>;

/** The merge of two accumulators, or undefined (H12). */
export type MergeAccumulators = (left: unknown, right: unknown) => unknown;

/** What the runner hands to a reader. */
export interface SourceContext {
  /** Which of the readers of its source it is, from 0. */
  readonly index: number;
  /** How many readers the source has; each reads a share of its own. */
  readonly count: number;
  /** Processing time, in milliseconds. */
  now(): number;
  /** Where a reader of the same index and source was, as its {@link SourceReader.position} said: it goes on from there. */
  readonly position?: Uint8Array | undefined;
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
  /** Where a reader would have to go on behind all that this one has emitted; undefined if it cannot tell. */
  position?(): Uint8Array | undefined;
  /** The source is to end (H11). */
  drain(): void;
  close(): Promise<void>;
}

/** A PCollection that transforms of a stage read whole, a window at a time (H5). */
export interface SideInput {
  /**
   * The elements of one window, in no particular order, those of its latest pane; empty for a window without any. What was given keeps its
   * content, and is mostly the same object as long as the content is. An array, unless it is so large that it is on disk.
   */
  values(window: Window): Iterable<unknown> & { readonly length: number };
}

/**
 * The checkpoints of a run, to whoever leaves something outside of the process that only what a checkpoint holds refers to.
 *
 * What is done while {@link epoch} says `e` is known to a run that goes on from the checkpoint of `e`, or a later one, and to no other.
 */
export interface RunCheckpoints {
  /** The same for all runs that go on from each other; letters and digits. */
  readonly job: string;
  /** Greater than in all runs before this one, and after each restart within a run. */
  readonly generation: number;
  /** The epoch whose checkpoint the run goes on from; 0 for one that begins. */
  readonly from: number;
  /** The epoch of the checkpoint to come. Stays the same within a bundle. */
  epoch(): number;
}

/** What the runner hands to a stage: where its outputs go, and when a long-running call should pause. */
export interface StageContext {
  /** Receiver for the PCollection of each output port of the descriptor. */
  readonly outputs: ReadonlyMap<string, Receiver>;
  /** By PCollection id, each PCollection of the descriptor's `sideInputs`. */
  readonly sideInputs: ReadonlyMap<string, SideInput>;
  /** State and timers of the stage's stateful transform; undefined where it has none (H6). */
  readonly keyed?: KeyedState;
  /** For the splittable transform that the stage begins with; undefined where it has none (H13). */
  readonly restrictions?: RestrictionContext;
  /** Has a function called when the open bundle is durable, unless that takes more milliseconds of processing time than this (H18). */
  onCommitted?(callback: () => void | Promise<void>, expireAfterMs: number): void;
  /** Undefined where nobody goes on when the run has ended, however it ended. */
  readonly checkpoints?: RunCheckpoints | undefined;
  /** Whether the job is being drained: sources have been told to end. Once true it stays true. */
  isDraining?(): boolean;
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
  /** Whether what functions do to timers shows only when the bundle is finished (H6). */
  readonly setsTimersLate?: boolean;
  /** Splits the restriction whose processing has not settled; false if there is none, or it cannot be split (H15). */
  split?(fraction: number): boolean;
  /** Of the restriction whose processing has not settled, if there is one. */
  progress?(): Progress | undefined;
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
