// Small drawings as SVG text: readable on light and on dark ground, and the same bytes for the same calls.
const STYLE = `
    svg { color-scheme: light dark; --ground: #ffffff; --ink: #24292f; --soft: #6e7781; --line: #d0d7de; --blue: #0969da; --orange: #bc4c00; --green: #1a7f37; --red: #cf222e; }
    @media (prefers-color-scheme: dark) {
      svg { --ground: #0d1117; --ink: #e6edf3; --soft: #8d96a0; --line: #3d444d; --blue: #4493f8; --orange: #f0883e; --green: #3fb950; --red: #f85149; }
    }
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink); }
    .soft { fill: var(--soft); } .small { font-size: 11px; } .bold { font-weight: 600; }
    .blue { --c: var(--blue); } .orange { --c: var(--orange); } .green { --c: var(--green); } .red { --c: var(--red); }
    text.blue, text.orange, text.green, text.red { fill: var(--c); }
    .stroke { stroke: var(--c, var(--soft)); fill: none; stroke-width: 2; }
    .fill { fill: var(--c, var(--soft)); } .tint { fill: var(--c, var(--soft)); fill-opacity: 0.15; stroke: var(--c, var(--soft)); }
    .ground { fill: var(--ground); } .grid { stroke: var(--line); } .dashed { stroke-dasharray: 5 4; }`;

const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const round = (n) => (typeof n === "number" ? Math.round(n * 10) / 10 : n);
const tag = (name, attributes, content) => {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(round(value))}"`);
  return `<${name}${list.join("")}${content === undefined ? "/>" : `>${content}</${name}>`}`;
};

export class Drawing {
  #parts = [];

  /** @param title what people hear who do not see it */
  constructor(width, height, title) {
    this.width = width;
    this.height = height;
    this.title = title;
  }

  /** `anchor` is start, middle or end. */
  text(x, y, text, classes = "", anchor = "start") {
    return this.#add(tag("text", { x, y, class: classes, "text-anchor": anchor }, escaped(text)));
  }

  line(x1, y1, x2, y2, classes = "grid") {
    return this.#add(tag("line", { x1, y1, x2, y2, class: classes }));
  }

  rect(x, y, width, height, classes = "tint") {
    return this.#add(tag("rect", { x, y, width, height, rx: 3, class: classes }));
  }

  dot(x, y, classes = "fill", r = 5) {
    return this.#add(tag("circle", { cx: x, cy: y, r, class: classes }));
  }

  /** @param points `[x, y]` */
  path(points, classes = "stroke") {
    return this.#add(tag("polyline", { points: points.map(([x, y]) => `${round(x)},${round(y)}`).join(" "), class: classes }));
  }

  toString() {
    const { width, height, title } = this;
    const attributes = { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img" };
    const body = [tag("title", {}, escaped(title)), `<style>${STYLE}\n  </style>`, ...this.#parts].map((part) => `  ${part}`);
    return `${tag("svg", attributes, `\n${body.join("\n")}\n`)}\n`;
  }

  #add(part) {
    this.#parts.push(part);
    return this;
  }
}

/** A function from values to coordinates. */
export const scale = (from, to, start, end) => (value) => start + ((value - from) / (to - from)) * (end - start);
