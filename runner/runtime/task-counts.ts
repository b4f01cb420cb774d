import type { Metric } from "../../portability/metrics/index.js";
import type { Timestamp } from "../../portability/values/index.js";

/** What a task has done so far; plain JSON. */
export interface TaskCounts {
  readonly component: string;
  /** Elements taken by the head. */
  readonly elementsIn: number;
  /** Elements handed over, once for each stream they went to. */
  readonly elementsOut: number;
  /** Bytes of both, estimated from samples of the elements. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bundles that were committed. */
  readonly bundles: number;
  /** Bundles that failed and were tried again. */
  readonly retries: number;
  /** Bundles whose output went before their end, since it was too much to be held. */
  readonly bundlesLetGo: number;
  /** Milliseconds that the task's turns took: all synchronous work, that of its stage included. */
  readonly busyMs: number;
  readonly inputWatermark: Timestamp;
  readonly outputWatermark: Timestamp;
  /** How far the output watermark is behind the time of day; undefined before it moves and at its end. */
  readonly watermarkLagMs?: number | undefined;
  /** Estimated bytes waiting in the inbox. */
  readonly backlogBytes: number;
  /** Estimated bytes waiting in the inbox and the outbox. */
  readonly queuedBytes: number;
  /** Elements dropped because their window had expired. */
  readonly droppedLate: number;
  /** Elements dropped because the trigger of their window had finished. */
  readonly droppedClosed: number;
  /** Elements by PCollection, of those that the task's stage knows; of the open bundle as far as it is. */
  readonly pcollections: Readonly<Record<string, number>>;
  /** Those of committed bundles alone. */
  readonly committedPcollections: Readonly<Record<string, number>>;
  /** User metrics of its stage, attempted: those of failed bundles included. */
  readonly metrics: readonly Metric[];
  /** Those of committed bundles alone. */
  readonly committed: readonly Metric[];
}
