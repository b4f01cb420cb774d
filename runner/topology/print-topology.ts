// A topology for people: as plain text, as a Mermaid flowchart, as a Graphviz graph.
//
// R1. Names belong to the pipeline's author and may hold anything: each format escapes them, so that no name can break a
//     line, end a string or add a node.
import type { Component, Stream, Topology } from "./topology.js";

/** Forms in which a topology can be printed. */
export type TopologyFormat = "text" | "mermaid" | "dot";

/**
 * A topology as text for people, as a Mermaid flowchart, or as a graph for Graphviz.
 *
 * @example
 * ```ts
 * console.log(printTopology(planPipeline(translated, { parallelism: 2 }), "mermaid"));
 * ```
 */
export function printTopology(topology: Topology, format: TopologyFormat = "text"): string {
  switch (format) {
    case "text":
      return printText(topology);
    case "mermaid":
      return printMermaid(topology);
    case "dot":
      return printDot(topology);
  }
}

function printText({ components, streams }: Topology): string {
  const lines: string[] = [];
  for (const component of components) {
    lines.push(`${oneLine(component.id)} ×${component.parallelism}`);
    for (const step of steps(component)) lines.push(`    ${oneLine(step)}`);
    for (const stream of streams.filter(({ from }) => from === component.id))
      lines.push(`    ─ ${streamLabel(stream)} → ${oneLine(stream.to)}`);
  }
  return lines.join("\n") + "\n";
}

function printMermaid({ components, streams }: Topology): string {
  const node = nodeIds(components);
  const lines = ["flowchart TD"];
  for (const component of components) {
    const label = [title(component), ...steps(component)].map(escapeMermaid).join("<br/>");
    lines.push(component.kind === "spout" ? `  ${node(component.id)}(["${label}"])` : `  ${node(component.id)}["${label}"]`);
  }
  for (const stream of streams) lines.push(`  ${node(stream.from)} -- "${escapeMermaid(streamLabel(stream))}" --> ${node(stream.to)}`);
  return lines.join("\n") + "\n";
}

function printDot({ components, streams }: Topology): string {
  const node = nodeIds(components);
  const lines = ["digraph topology {", "  node [shape=box];"];
  for (const component of components) {
    const label = [title(component), ...steps(component)].map((line) => `${escapeDot(line)}\\l`).join("");
    lines.push(`  ${node(component.id)} [label="${label}"${component.kind === "spout" ? ", style=rounded" : ""}];`);
  }
  for (const stream of streams) lines.push(`  ${node(stream.from)} -> ${node(stream.to)} [label="${escapeDot(streamLabel(stream))}"];`);
  lines.push("}");
  return lines.join("\n") + "\n";
}

/** What a component is called, with the number of its tasks. @internal */
export function title({ id, parallelism }: Component): string {
  return `${id} ×${parallelism}`;
}

/** How elements of a stream are dealt out. @internal */
export function streamLabel({ id, grouping, sideInput }: Stream): string {
  return `${grouping} (${sideInput === undefined ? "" : "side input, "}stream ${id})`;
}

/** What happens in a component: its head, then the fused transforms by unique name; parts of one transform are told apart by URN. @internal */
export function steps({ head, stage }: Component): string[] {
  const first = "transformName" in head ? `${head.kind}: ${head.transformName}` : head.kind;
  const transforms = stage.components.transforms ?? {};
  return [
    first,
    ...stage.transformIds.map((id) => {
      const operation = /^beam:transform:(.*):v\d+$/s.exec(transforms[id]?.spec?.urn ?? "")?.[1] ?? "transform";
      return `${operation}: ${transforms[id]?.uniqueName || id}`;
    }),
  ];
}

function nodeIds(components: readonly Component[]): (id: string) => string {
  const ids = new Map(components.map(({ id }, i) => [id, `c${i + 1}`]));
  return (id) => ids.get(id)!;
}

/** Line breaks and control characters as escapes, so that a name stays on its line. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Mermaid's own entities, for everything that means something to its parser, to Markdown in labels or to HTML. */
function escapeMermaid(text: string): string {
  return oneLine(text).replace(/["#&<>`\\*_~[\]{}|;%]/g, (character) => `#${character.charCodeAt(0)};`);
}

function escapeDot(text: string): string {
  return oneLine(text).replace(/["\\]/g, "\\$&");
}
