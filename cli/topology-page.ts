// A topology as one HTML page without anything from elsewhere: drawn here, as SVG, with the steps of each component to be unfolded.
//
// H1. Names belong to the pipeline's author and may hold anything: every text is escaped, in text and in attributes alike.
import { steps, streamLabel, title, type Component, type Topology } from "../runner/index.js";

const CHARACTER = 7.2;
const LINE = 18;
const PADDING = 12;
const MAX_CHARACTERS = 64;

interface Box {
  readonly component: Component;
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

/** @param name what the page is called, e.g. the file of the pipeline */
export async function topologyPage(topology: Topology, name: string): Promise<string> {
  const { graphlib, layout } = await import("@dagrejs/dagre"); // not needed by other commands
  const boxes = new Map(topology.components.map((component) => [component.id, boxOf(component)]));
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 40, ranksep: 60, marginx: 20, marginy: 20 });
  for (const [id, { width, height }] of boxes) graph.setNode(id, { width, height });
  for (const stream of topology.streams) {
    const label = streamLabel(stream);
    graph.setEdge(stream.from, stream.to, { width: label.length * CHARACTER, height: LINE, labelpos: "c" }, String(stream.id));
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const edges = topology.streams.map((stream) => {
    const edge = graph.edge(stream.from, stream.to, String(stream.id)) as Edge;
    return drawEdge(edge, streamLabel(stream), stream.sideInput !== undefined);
  });
  const nodes = [...boxes].map(([id, box]) => drawBox(box, graph.node(id) as Point));
  return page(escape(cut(name)), width, height, [...edges, ...nodes].join("\n"), topology);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Edge extends Point {
  readonly points: readonly Point[];
}

function boxOf(component: Component): Box {
  const lines = [title(component), ...steps(component)].map(cut);
  const width = Math.max(...lines.map((line) => line.length)) * CHARACTER + 2 * PADDING;
  return { component, lines, width, height: lines.length * LINE + 2 * PADDING };
}

function drawBox({ component, lines, width, height }: Box, { x, y }: Point): string {
  const left = x - width / 2;
  const top = y - height / 2;
  const radius = component.kind === "spout" ? 18 : 4;
  const texts = lines.map(
    (line, i) =>
      `<text x="${fixed(left + PADDING)}" y="${fixed(top + PADDING + LINE * (i + 0.75))}"${i === 0 ? ' class="title"' : ""}>${escape(line)}</text>`,
  );
  return `<g class="${component.kind}"><rect x="${fixed(left)}" y="${fixed(top)}" width="${fixed(width)}" height="${fixed(height)}" rx="${radius}"/>${texts.join("")}</g>`;
}

function drawEdge({ points, x, y }: Edge, label: string, isSide: boolean): string {
  const path = points.map((point, i) => `${i === 0 ? "M" : "L"}${fixed(point.x)},${fixed(point.y)}`).join(" ");
  return (
    `<g class="stream${isSide ? " side" : ""}"><path d="${path}" marker-end="url(#arrow)"/>` +
    `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="middle">${escape(label)}</text></g>`
  );
}

function page(name: string, width: number, height: number, drawing: string, { components, streams }: Topology): string {
  const tasks = components.reduce((sum, { parallelism }) => sum + parallelism, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --box: #f4f6f8; --spout: #e7f2ff; --line: #6b7785; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --box: #20252b; --spout: #18314d; --line: #93a0ae; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px system-ui, sans-serif; }
header { padding: 12px 20px; }
header h1 { font-size: 16px; margin: 0 0 4px; }
main { overflow: auto; }
svg text { font: 12px ui-monospace, monospace; fill: var(--ink); }
svg text.title { font-weight: bold; }
svg rect { fill: var(--box); stroke: var(--line); }
svg .spout rect { fill: var(--spout); }
svg path { fill: none; stroke: var(--line); stroke-width: 1.5; }
svg .side path { stroke-dasharray: 5 4; }
svg .stream text { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
svg marker path { fill: var(--line); stroke: none; }
</style>
</head>
<body>
<header><h1>${name}</h1>${components.length} components, ${tasks} tasks, ${streams.length} streams; dashed: side inputs</header>
<main>
<svg xmlns="http://www.w3.org/2000/svg" width="${fixed(width)}" height="${fixed(height)}" viewBox="0 0 ${fixed(width)} ${fixed(height)}" role="img" aria-label="topology">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>
${drawing}
</svg>
</main>
</body>
</html>
`;
}

function cut(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu, " ");
  const characters = Array.from(line);
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS - 1).join("")}…` : line;
}

/** H1 */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const fixed = (n: number): string => n.toFixed(1);
