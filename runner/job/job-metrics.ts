import { mergeMetrics, type Metric } from "../../portability/metrics/index.js";
import { MAX_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { TaskCounts } from "../runtime/index.js";
import type { Component, Topology } from "../topology/index.js";

/** Figures of one component at one moment, summed over its tasks. */
export interface ComponentMetrics {
  readonly id: string;
  readonly tasks: number;
  /** Elements taken by the head. */
  readonly elementsIn: number;
  /** Elements sent, once for each stream. */
  readonly elementsOut: number;
  /** Elements in, a second, since the metrics before. */
  readonly ratePerSecond: number;
  /** Bytes of the elements in and out, estimated from samples. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bundles that were committed. */
  readonly bundles: number;
  /** Bundles that failed and were tried again. */
  readonly retries: number;
  /** Bundles whose output went before their end, since a single element had too much of it to be held; these are not tried again. */
  readonly bundlesLetGo: number;
  /** Milliseconds of work: of all tasks together, without what their functions wait for. */
  readonly busyMs: number;
  /** Input watermark: the least of the tasks'. */
  readonly inputWatermark: Timestamp;
  /** Output watermark: the least of the tasks'. */
  readonly watermark: Timestamp;
  /** How far the output watermark is behind the time of day, in milliseconds; undefined before it moves and at its end. */
  readonly watermarkLagMs: number | undefined;
  /** Estimated bytes waiting before the tasks and behind them. */
  readonly queuedBytes: number;
  /** What waits before the tasks: estimated bytes, and elements as many as these would be if they were like those before. */
  readonly backlogBytes: number;
  readonly backlogElements: number;
  /** Elements dropped because their window had expired. */
  readonly droppedLate: number;
  /** Elements dropped because the trigger of their window had finished. */
  readonly droppedClosed: number;
}

/** Figures of a job at one moment. */
export interface JobMetrics {
  /** Milliseconds since the job started to run. */
  readonly elapsedMs: number;
  readonly components: readonly ComponentMetrics[];
  /** Elements of each PCollection so far, by its id: of committed bundles, and of open ones as far as they are. */
  readonly elements: ReadonlyMap<string, number>;
  /** Those of committed bundles alone. */
  readonly committedElements: ReadonlyMap<string, number>;
  /** User metrics, attempted: those of failed bundles included. */
  readonly user: readonly Metric[];
  /** User metrics of committed bundles alone. */
  readonly committed: readonly Metric[];
}

export const NO_METRICS: JobMetrics = {
  elapsedMs: 0,
  components: [],
  elements: new Map(),
  committedElements: new Map(),
  user: [],
  committed: [],
};

/** Sums up what tasks counted; `before` gives the rates their starting point. */
export function summarise(topology: Topology, counts: readonly TaskCounts[], elapsedMs: number, before: JobMetrics): JobMetrics {
  const byComponent = new Map<string, TaskCounts[]>(topology.components.map(({ id }) => [id, []]));
  for (const task of counts) byComponent.get(task.component)?.push(task);
  const seconds = (elapsedMs - before.elapsedMs) / 1000;
  const components = topology.components.map((component): ComponentMetrics => {
    const tasks = byComponent.get(component.id)!;
    const sum = (of: (task: TaskCounts) => number): number => tasks.reduce((total, task) => total + of(task), 0);
    const elementsIn = sum((task) => task.elementsIn);
    const bytesIn = sum((task) => task.bytesIn);
    const backlogBytes = sum((task) => task.backlogBytes);
    const lags = tasks.flatMap(({ watermarkLagMs }) => (watermarkLagMs === undefined ? [] : [watermarkLagMs]));
    const earlier = before.components.find(({ id }) => id === component.id)?.elementsIn ?? 0;
    return {
      id: component.id,
      tasks: component.parallelism,
      elementsIn,
      elementsOut: sum((task) => task.elementsOut),
      ratePerSecond: seconds > 0 ? (elementsIn - earlier) / seconds : 0,
      bytesIn,
      bytesOut: sum((task) => task.bytesOut),
      bundles: sum((task) => task.bundles),
      retries: sum((task) => task.retries),
      bundlesLetGo: sum((task) => task.bundlesLetGo),
      busyMs: sum((task) => task.busyMs),
      inputWatermark: tasks.reduce((least, task) => Math.min(least, task.inputWatermark), MAX_TIMESTAMP),
      watermark: tasks.reduce((least, task) => Math.min(least, task.outputWatermark), MAX_TIMESTAMP),
      watermarkLagMs: lags.length === 0 ? undefined : Math.max(...lags),
      queuedBytes: sum((task) => task.queuedBytes),
      backlogBytes,
      backlogElements: bytesIn === 0 ? 0 : Math.round((backlogBytes * elementsIn) / bytesIn),
      droppedLate: sum((task) => task.droppedLate),
      droppedClosed: sum((task) => task.droppedClosed),
    };
  });
  const user = mergeMetrics(counts.flatMap(({ metrics }) => metrics));
  const committed = mergeMetrics(counts.flatMap((task) => task.committed));
  const elements = elementsOf(topology, byComponent, ({ pcollections }) => pcollections);
  const committedElements = elementsOf(topology, byComponent, ({ committedPcollections }) => committedPcollections);
  return { elapsedMs, components, elements, committedElements, user, committed };
}

/** What tasks of runs that are over have counted: one sum for each component, which holds no watermark back. */
export function sumOfRuns(counts: readonly TaskCounts[]): TaskCounts[] {
  const sums = new Map<string, TaskCounts>();
  for (const each of counts.map(complete)) {
    const before = sums.get(each.component);
    sums.set(each.component, before === undefined ? ended(each) : sumOfTwo(before, each));
  }
  return [...sums.values()];
}

/** Of checkpoints that were written before tasks counted that. */
function complete(counts: TaskCounts): TaskCounts {
  return { ...{ committedPcollections: {} }, ...counts };
}

function ended(counts: TaskCounts): TaskCounts {
  const none = { backlogBytes: 0, queuedBytes: 0, watermarkLagMs: undefined };
  return { ...counts, ...none, inputWatermark: MAX_TIMESTAMP, outputWatermark: MAX_TIMESTAMP };
}

function sumOfTwo(a: TaskCounts, b: TaskCounts): TaskCounts {
  return ended({
    ...a,
    elementsIn: a.elementsIn + b.elementsIn,
    elementsOut: a.elementsOut + b.elementsOut,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    bundles: a.bundles + b.bundles,
    retries: a.retries + b.retries,
    bundlesLetGo: a.bundlesLetGo + b.bundlesLetGo,
    busyMs: a.busyMs + b.busyMs,
    droppedLate: a.droppedLate + b.droppedLate,
    droppedClosed: a.droppedClosed + b.droppedClosed,
    pcollections: sumOfElements(a.pcollections, b.pcollections),
    committedPcollections: sumOfElements(a.committedPcollections, b.committedPcollections),
    metrics: mergeMetrics([...a.metrics, ...b.metrics]),
    committed: mergeMetrics([...a.committed, ...b.committed]),
  });
}

type Elements = TaskCounts["pcollections"];

function sumOfElements(a: Elements, b: Elements): Elements {
  const sum: Record<string, number> = { ...a };
  for (const [id, count] of Object.entries(b)) sum[id] = (sum[id] ?? 0) + count;
  return sum;
}

/**
 * A PCollection between components is known to those that make it and to those that take it. It is counted where it is
 * made; only one that no stage puts out, such as the output of a grouping, is counted where it is taken.
 */
function elementsOf(
  topology: Topology,
  byComponent: ReadonlyMap<string, readonly TaskCounts[]>,
  countsOf: (task: TaskCounts) => Elements,
): Map<string, number> {
  const made = new Map<string, number>();
  const taken = new Map<string, number>();
  for (const component of topology.components) {
    const counts = new Map<string, number>();
    for (const task of byComponent.get(component.id)!)
      for (const [pcollection, count] of Object.entries(countsOf(task))) counts.set(pcollection, (counts.get(pcollection) ?? 0) + count);
    for (const [pcollection, count] of counts)
      if (isTaken(component, pcollection)) taken.set(pcollection, Math.max(taken.get(pcollection) ?? 0, count));
      else made.set(pcollection, (made.get(pcollection) ?? 0) + count);
  }
  return new Map([...taken, ...made]);
}

function isTaken({ head, stage }: Component, pcollection: string): boolean {
  return pcollection === head.output || (stage.inputs.includes(pcollection) && !stage.outputs.includes(pcollection));
}
