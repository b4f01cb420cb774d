import type { Metric } from "../../portability/metrics/index.js";
import type { Timestamp } from "../../portability/values/index.js";

/** What a task has done so far; plain JSON. */
export interface TaskCounts {
  readonly component: string;
  /** Elements taken by the head. */
  readonly elementsIn: number;
  /** Elements handed over, once for each stream they went to. */
  readonly elementsOut: number;
  readonly bundles: number;
  readonly inputWatermark: Timestamp;
  readonly outputWatermark: Timestamp;
  /** Estimated bytes waiting in the inbox and the outbox. */
  readonly queuedBytes: number;
  /** Elements dropped because their window had expired. */
  readonly droppedLate: number;
  /** Elements dropped because the trigger of their window had finished. */
  readonly droppedClosed: number;
  /** Elements by PCollection, of those that the task's stage knows. */
  readonly pcollections: Readonly<Record<string, number>>;
  /** User metrics of its stage. */
  readonly metrics: readonly Metric[];
}
