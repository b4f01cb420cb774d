import { mergeMetrics, type Metric } from "../../portability/metrics/index.js";
import type { StageExecutor } from "../../portability/stage-host/index.js";

/** What executors of a stage have counted. */
export interface StageTotals {
  /** Elements by PCollection id, those of the open bundle included. */
  readonly elements: ReadonlyMap<string, number>;
  /** Those of committed bundles alone. */
  readonly committedElements: ReadonlyMap<string, number>;
  /** User metrics, those of failed bundles included. */
  readonly attempted: readonly Metric[];
  /** Those of committed bundles alone. */
  readonly committed: readonly Metric[];
}

export const NO_TOTALS: StageTotals = { elements: new Map(), committedElements: new Map(), attempted: [], committed: [] };

/** What an executor has counted so far. */
export function totalsOf(executor: StageExecutor): StageTotals {
  const elements = executor.elementCounts();
  const attempted = executor.metrics?.() ?? [];
  const committed = executor.committed?.() ?? { elements, metrics: attempted };
  return { elements, committedElements: committed.elements, attempted, committed: committed.metrics };
}

/** The same of one that has failed: the elements of its last bundle are going to be counted by the next. */
export function totalsOfFailed(executor: StageExecutor): StageTotals {
  const totals = totalsOf(executor);
  return { ...totals, elements: totals.committedElements };
}

export function sumOfTotals(a: StageTotals, b: StageTotals): StageTotals {
  return {
    elements: sumOfElements(a.elements, b.elements),
    committedElements: sumOfElements(a.committedElements, b.committedElements),
    attempted: sumOfMetrics(a.attempted, b.attempted),
    committed: sumOfMetrics(a.committed, b.committed),
  };
}

function sumOfElements(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (a.size === 0) return b;
  const sum = new Map(a);
  for (const [pcollection, n] of b) sum.set(pcollection, (sum.get(pcollection) ?? 0) + n);
  return sum;
}

function sumOfMetrics(a: readonly Metric[], b: readonly Metric[]): readonly Metric[] {
  return a.length === 0 ? b : mergeMetrics([...a, ...b]);
}
