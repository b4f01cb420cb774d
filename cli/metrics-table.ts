import { pathsOf } from "../portability/metrics/index.js";
import type { MetricType, MetricValues, UserMetric, UserMetrics } from "../sdk/index.js";

const MAX_ROWS = 30;
const MAX_CELL = 60;
const MAX_VALUE = 100;

/** What a pipeline's own metrics say, a line each, for the end of a run; empty where there are none. */
export function metricsTable(metrics: UserMetrics): string {
  const all = metrics.query();
  const rows = all
    .slice(0, MAX_ROWS)
    .map((metric) => [cut(nameOf(metric), MAX_CELL), cut(metric.step, MAX_CELL), cut(valueOf(metric), MAX_VALUE)]);
  const width = (column: number): number => Math.max(0, ...rows.map((row) => row[column].length));
  const lines = rows.map(([name, step, value]) => `  ${name.padEnd(width(0))}  ${step.padEnd(width(1))}  ${value}\n`);
  if (all.length > MAX_ROWS) lines.push(`  … and ${all.length - MAX_ROWS} more metrics\n`);
  return lines.join("");
}

function nameOf({ namespace, name }: UserMetric): string {
  return namespace === "user" ? name : `${namespace}/${name}`;
}

/** The committed value, and the attempted one where it differs. */
function valueOf({ type, attempted, committed }: UserMetric): string {
  const describe = DESCRIPTIONS[type] as (value: UserMetric["attempted"]) => string; // of the same type as the values
  const tried = describe(attempted);
  const done = committed === undefined ? "nothing" : describe(committed);
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
