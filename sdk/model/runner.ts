import type { Observable } from "rxjs";
import type { PipelineDefinition } from "./pipeline-definition.js";
import type { Options } from "./options.js";
import type { UserMetrics } from "./user-metrics.js";

/** Where a run is in its life: Beam's job states. */
export type RunState = "STOPPED" | "STARTING" | "RUNNING" | "DONE" | "FAILED" | "CANCELLING" | "CANCELLED";

/** Something that the runner says about a run. */
export interface RunMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Figures of one component (spout or bolt) at one moment, summed over its tasks. */
export interface ComponentMetrics {
  readonly id: string;
  readonly elementsIn: number;
  readonly elementsOut: number;
  readonly queuedBytes: number;
  /** Milliseconds of event time. */
  readonly watermark: number;
  /** Elements that came after their window had expired, once for each such window. */
  readonly droppedLate: number;
  /** Elements that came after the trigger of their window had finished. */
  readonly droppedClosed: number;
}

/** Figures of a run at one moment. */
export interface RunMetrics {
  readonly elapsedMs: number;
  readonly components: readonly ComponentMetrics[];
  /** Elements of each PCollection so far, by the unique name of the transform that made it (`name` or `name.tag`). */
  readonly elements: ReadonlyMap<string, number>;
  /** What the pipeline's own metrics say. */
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
  /** Resolves when the run is done. @throws what made it fail, or CancelledError. */
  result(): Promise<RunMetrics>;
  /** Stops the run; resolves when nothing of it runs any more. */
  cancel(): Promise<void>;
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
