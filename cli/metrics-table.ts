import { pathsOf, readMonitoringInfo } from "../portability/metrics/index.js";
import type { beam } from "../portability/protos/index.js";
import type { MetricType, MetricValues, UserMetric, UserMetrics } from "../sdk/index.js";

const MAX_ROWS = 30;
const MAX_CELL = 60;
const MAX_VALUE = 100;

/** What a pipeline's own metrics say, a line each, for the end of a run; empty where there are none. */
export function metricsTable(metrics: UserMetrics): string {
  return table(metrics.query(), (metric) => [nameOf(metric), metric.step, valueOf(metric)]);
}

/** What workers have counted as processes, likewise. */
export function workerMetricsTable(infos: readonly beam.pipeline.IMonitoringInfo[]): string {
  return table(infos, (info) => {
    const read = readMonitoringInfo(info);
    const labels = Object.entries(info.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const name = (info.urn ?? "").replace(/^beam:metric:/, "").replace(/:v1$/, "");
    return [name, labels.join(" "), read === undefined ? `${info.payload?.length ?? 0} bytes` : described(read.type, read.value)];
  });
}

function table<T>(all: readonly T[], rowOf: (each: T) => readonly [name: string, of: string, value: string]): string {
  const rows = all.slice(0, MAX_ROWS).map((each) => {
    const [name, of, value] = rowOf(each);
    return [cut(name, MAX_CELL), cut(of, MAX_CELL), cut(value, MAX_VALUE)];
  });
  const width = (column: number): number => Math.max(0, ...rows.map((row) => row[column].length));
  const lines = rows.map(([name, of, value]) => `  ${name.padEnd(width(0))}  ${of.padEnd(width(1))}  ${value}\n`);
  if (all.length > MAX_ROWS) lines.push(`  … and ${all.length - MAX_ROWS} more metrics\n`);
  return lines.join("");
}

function described(type: MetricType, value: MetricValues[MetricType]): string {
  return (DESCRIPTIONS[type] as (value: MetricValues[MetricType]) => string)(value); // the value is of the type
}

function nameOf({ namespace, name }: UserMetric): string {
  return namespace === "user" ? name : `${namespace}/${name}`;
}

/** The committed value, and the attempted one where it differs. */
function valueOf({ type, attempted, committed }: UserMetric): string {
  const tried = described(type, attempted);
  const done = committed === undefined ? "nothing" : described(type, committed);
  return tried === done ? done : `${done} (attempted: ${tried})`;
}

const DESCRIPTIONS: { readonly [T in MetricType]: (value: MetricValues[T]) => string } = {
  counter: (n) => grouped(n),
  gauge: ({ value }) => grouped(value),
  "string-set": (texts) => texts.join(", "),
  "bounded-trie": (trie) =>
    pathsOf(trie)
      .map((path) => path.join("/"))
      .join(", "),
  distribution: ({ count, sum, min, max }) =>
    count === 0 ? "nothing" : `${grouped(min)} to ${grouped(max)}, mean ${grouped(sum / count)}, of ${grouped(count)}`,
};

/** On one line, bounded. */
function cut(text: string, limit: number): string {
  // eslint-disable-next-line no-control-regex
  const line = text.slice(0, limit * 4).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu, " ");
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

const grouped = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 2 });
