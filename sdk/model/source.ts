// Unbounded sources as their authors write them: pulled by the runner, which is told when there is something to pull.
import type { Timestamp } from "../../portability/values/index.js";

/**
 * Takes an element; its event time, where the source knows it, is in whole milliseconds. False: the pipeline takes no more for now, and
 * what is emitted all the same is kept in memory until it does.
 */
export type EmitFromReader<T> = (element: T, timestamp?: Timestamp) => boolean;

/**
 * What a reader says at the end of {@link Reader.read}: `"more"` to be read again as soon as the pipeline takes more, `"end"` when nothing
 * will ever come, `"later"` to be read when {@link ReaderContext.available} is called, or the processing time to be read at.
 */
export type ReadResult = "more" | "later" | "end" | number;

/** Reads a source, or a share of it, in one task. Its methods are called one at a time. */
export interface Reader<T> {
  /** Emits what is there without waiting for anything, until `emit` returns false. What it throws fails the run. */
  read(emit: EmitFromReader<T>): ReadResult;
  /** For a source that knows it: no element to come is earlier. Used where the source has no other watermark policy. */
  watermark?(): Timestamp;
  /**
   * Where to go on behind all that was emitted, as a plain JSON value: what {@link ReaderContext.position} is when a run goes on from a checkpoint.
   * Without it the source starts anew then: what came before may come again, and what came meanwhile may be lost.
   */
  position?(): unknown;
  /**
   * The run is drained: takes nothing more from outside. `read` emits what was taken before, as often as it takes, then gives `"end"`. Without
   * this method the source ends as it is, and is read no more.
   */
  drain?(): void;
  /** Lets go of files, sockets, timers. Called once, at the end of the source or of the run, however it ended. */
  close?(): void | Promise<void>;
}

/** What a reader is opened with. */
export interface ReaderContext {
  /** Which of the source's readers it is, from 0. */
  readonly index: number;
  /** How many readers there are: each reads a share of its own. */
  readonly count: number;
  /** Where a reader of this index was when the checkpoint was taken that the run goes on from; undefined for one that starts. */
  readonly position?: unknown;
  /** Processing time: the clock of the run, in milliseconds since 1970. In tests with a `testStream` it is virtual, and starts at 0. */
  readonly now: () => number;
  /** To be called when something has come: `read` is called soon after, even if it named a later time. May be called at any time, from anywhere. */
  readonly available: () => void;
  /** The source has failed: so does the run. */
  readonly fail: (error: unknown) => void;
}

/** Where the timestamps of a source's elements come from, and how far its event time is known to be complete. */
export type WatermarkPolicy<T> =
  | { readonly kind: "ingestion-time" }
  | { readonly kind: "processing-time" }
  | { readonly kind: "event-time"; readonly timestampOf: (element: T) => Timestamp; readonly maxDelayMs: number };

/** What {@link unboundedSource} is made of. */
export interface SourceSpec<T> {
  /**
   * Opens a reader in each task; called before the run starts. What it throws, or rejects with, fails the run.
   */
  readonly open: (context: ReaderContext) => Reader<T> | Promise<Reader<T>>;
  /** Most tasks that the source can be shared by; default 1. A run has no more of them than workers. */
  readonly parallelism?: number;
  /** Default: the watermark of the reader itself, or else ingestion time. */
  readonly watermark?: WatermarkPolicy<T>;
  /**
   * Milliseconds of processing time without an element after which a task of the source is idle: nobody waits for its watermark until it has
   * something again, which then may be late. Default: never.
   */
  readonly idleAfterMs?: number;
  /** Whether every reader comes to an end by itself; then its PCollection is bounded. So it is with the two that follow. */
  readonly ends?: boolean;
  /** Ends each task's share after as many elements: mostly for tests. Default: never. */
  readonly maxElements?: number;
  /** Ends the source after as many milliseconds of processing time. Default: never. */
  readonly maxReadMs?: number;
}

/** A source as the graph keeps it: checked, its types erased. */
export interface UntypedSource extends Required<Omit<SourceSpec<unknown>, "watermark">> {
  readonly watermark: WatermarkPolicy<unknown> | undefined;
}
