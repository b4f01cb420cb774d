// What `--metrics` prints at the end of a run: a line for each component and, below it, for each of its transforms.
import type { ComponentMetrics, RunMetrics, TransformMetrics } from "../sdk/index.js";

const HEAD = ["", "in", "out", "bytes in", "bytes out", "bundles", "busy", "dropped"];
const MAX_NAME = 60;

/** Figures of components and transforms, in columns. Bytes are estimates, from samples. */
export function componentTable({ components, transforms }: RunMetrics): string {
  const rows = [HEAD];
  for (const component of components) {
    rows.push(componentRow(component));
    for (const transform of transforms) if (transform.component === component.id) rows.push(transformRow(transform));
  }
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join("");
}

function componentRow(component: ComponentMetrics): string[] {
  const { id, elementsIn, elementsOut, bytesIn, bytesOut, bundles, retries, busyMs, droppedLate, droppedClosed } = component;
  return [
    cut(id),
    grouped(elementsIn),
    grouped(elementsOut),
    `~${grouped(bytesIn)}`,
    `~${grouped(bytesOut)}`,
    retries === 0 ? grouped(bundles) : `${grouped(bundles)} (${grouped(retries)} tried again)`,
    `${(busyMs / 1000).toFixed(2)} s`,
    grouped(droppedLate + droppedClosed),
  ];
}

function transformRow({ step, elementsIn, elementsOut }: TransformMetrics): string[] {
  return [`  ${cut(step)}`, grouped(elementsIn), grouped(elementsOut)];
}

const cut = (name: string): string => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name);
const grouped = (n: number): string => Math.round(n).toLocaleString("en-US");
