import type { Observable } from "rxjs";
import type { PipelineDefinition } from "./pipeline-definition.js";
import type { Options } from "./options.js";
import type { UserMetrics } from "./user-metrics.js";

/** Where a run is in its life: Beam's job states. */
export type RunState = "STOPPED" | "STARTING" | "RUNNING" | "DONE" | "FAILED" | "CANCELLING" | "CANCELLED" | "DRAINING" | "DRAINED";

/** Something that the runner says about a run. */
export interface RunMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Figures of one component (spout or bolt) at one moment, summed over its tasks. Bytes are estimated from samples of the elements. */
export interface ComponentMetrics {
  readonly id: string;
  /** Elements taken. */
  readonly elementsIn: number;
  /** Elements sent, once for each stream. */
  readonly elementsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Elements in, a second, since the metrics before. */
  readonly ratePerSecond: number;
  /** Bundles that were committed. */
  readonly bundles: number;
  /** Bundles that failed and were tried again. */
  readonly retries: number;
  /** Bundles whose output went before their end, since a single element had too much of it to be held; these are not tried again. */
  readonly bundlesLetGo: number;
  /** Milliseconds of work, without what functions wait for. */
  readonly busyMs: number;
  /** Bytes waiting before the tasks and behind them. */
  readonly queuedBytes: number;
  /** What waits before the tasks: bytes, and elements as many as these would be if they were like those before. */
  readonly backlogBytes: number;
  readonly backlogElements: number;
  /** Up to where input is complete, in milliseconds of event time: the least of the tasks'. */
  readonly inputWatermark: number;
  /** Up to where output is complete, in milliseconds of event time. */
  readonly watermark: number;
  /** How far the output's watermark is behind the time of day, in milliseconds; undefined before it moves and at its end. */
  readonly watermarkLagMs: number | undefined;
  /** Elements dropped because their window had expired. */
  readonly droppedLate: number;
  /** Elements dropped because the trigger of their window had finished. */
  readonly droppedClosed: number;
}

/** How many elements a transform has taken and put out so far. */
export interface TransformMetrics {
  /** Its unique name. */
  readonly step: string;
  /** The component that runs it. */
  readonly component: string;
  readonly elementsIn: number;
  readonly elementsOut: number;
}

/** Figures of a run at one moment. */
export interface RunMetrics {
  readonly elapsedMs: number;
  readonly components: readonly ComponentMetrics[];
  /** The transforms that components run, producers first. */
  readonly transforms: readonly TransformMetrics[];
  /** Elements of each PCollection so far, those of failed attempts left out, by the unique name of the transform that made it (`name` or `name.tag`). */
  readonly elements: ReadonlyMap<string, number>;
  /** What the pipeline's own metrics say, attempted and committed. */
  readonly user: UserMetrics;
}

/** A started run: its state, messages and metrics as values and as streams. The same object for every runner. */
export interface Run {
  readonly state: RunState;
  readonly messages: readonly RunMessage[];
  readonly metrics: RunMetrics;
  readonly state$: Observable<RunState>;
  readonly messages$: Observable<RunMessage>;
  readonly metrics$: Observable<RunMetrics>;
  /** Whether it reads something that need not ever end: only {@link drain} gives such a run a result. */
  readonly isUnbounded: boolean;
  /** Resolves when the run is done, or drained. @throws what made it fail, or CancelledError. */
  result(): Promise<RunMetrics>;
  /** Stops the run; resolves when nothing of it runs any more. */
  cancel(): Promise<void>;
  /**
   * Ends the run as soon as its output can be complete: unbounded sources take nothing more, what was read is processed, windows close, and timers fire,
   * those of processing time without waiting. Bounded sources go on to their end. It ends with DRAINED; resolves when nothing of it runs any
   * more, however it ended.
   */
  drain(): Promise<void>;
}

/** Executes pipelines somewhere. */
export interface Runner {
  start(definition: PipelineDefinition<Options>, options: Readonly<Record<string, unknown>>): Promise<Run>;
}

/**
 * Runs a pipeline to its end.
 *
 * @example
 * ```ts
 * await run(wordcount, { input: "a.txt" }, local({ memoryBytes: 512 * 1024 * 1024 }));
 * ```
 */
export async function run(definition: PipelineDefinition, options: Readonly<Record<string, unknown>>, runner: Runner): Promise<RunMetrics> {
  const started = await runner.start(definition, options);
  return await started.result();
}
