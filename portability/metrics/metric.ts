import { mergeTries, type TrieNode } from "./trie.js";

/** Count, sum, least and greatest of some numbers; of none, the least is Infinity and the greatest -Infinity. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** A number and when it was set, in milliseconds since 1970. */
export interface Gauge {
  readonly value: number;
  readonly time: number;
}

/** What each type of metric holds: Beam's user metrics. Plain JSON, so that reports can carry it. */
export interface MetricValues {
  readonly counter: number;
  readonly distribution: Distribution;
  readonly gauge: Gauge;
  /** Sorted. */
  readonly "string-set": readonly string[];
  readonly "bounded-trie": TrieNode;
}

/** What kinds of metrics there are. */
export type MetricType = keyof MetricValues;

/** A metric of one transform: its value so far. */
export type Metric = {
  readonly [T in MetricType]: {
    readonly type: T;
    /** Unique name of the transform that it belongs to. */
    readonly transform: string;
    readonly namespace: string;
    readonly name: string;
    readonly value: MetricValues[T];
  };
}[MetricType];

/** Most strings that a set keeps; further ones are not counted. */
export const STRING_SET_LIMIT = 10_000;

/**
 * The metrics of several parts of a run as one list: those of the same transform, namespace, name and type are merged. The
 * outcome does not depend on order or grouping.
 *
 * @example
 * ```ts
 * const requests = { transform: "ask", namespace: "", name: "requests", type: "counter", value: 2 } as const;
 * const [sum] = mergeMetrics([requests, requests]);
 * ```
 */
export function mergeMetrics(metrics: Iterable<Metric>): Metric[] {
  const merged = new Map<string, Metric>();
  for (const metric of metrics) {
    const id = JSON.stringify([metric.transform, metric.namespace, metric.name, metric.type]);
    const before = merged.get(id);
    merged.set(id, before === undefined ? metric : mergeTwo(before, metric));
  }
  return [...merged.values()];
}

function mergeTwo(a: Metric, b: Metric): Metric {
  switch (a.type) {
    case "counter":
      return { ...a, value: a.value + (b.value as number) };
    case "distribution":
      return { ...a, value: mergeDistributions(a.value, b.value as Distribution) };
    case "gauge":
      return { ...a, value: laterGauge(a.value, b.value as Gauge) };
    case "string-set":
      return { ...a, value: [...new Set([...a.value, ...(b.value as readonly string[])])].sort().slice(0, STRING_SET_LIMIT) };
    case "bounded-trie":
      return { ...a, value: mergeTries(a.value, b.value as TrieNode) };
  }
}

function mergeDistributions(a: Distribution, b: Distribution): Distribution {
  return { count: a.count + b.count, sum: a.sum + b.sum, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Of two set at the same time the greater one: some choice has to be made, and by everybody alike. */
function laterGauge(a: Gauge, b: Gauge): Gauge {
  return a.time > b.time || (a.time === b.time && a.value >= b.value) ? a : b;
}
