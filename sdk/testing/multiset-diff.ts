import { renderElement } from "../../portability/stage-host/index.js";

/** Elements shown of each side of a diff. */
const SHOWN = 20;

/** Says what two bags do not share, as readable lines; undefined when they are equal. */
export function diffMultisets(found: readonly unknown[], expected: readonly unknown[]): string | undefined {
  const counts = new Map<string, number>();
  for (const element of expected) add(counts, canonical(element), 1);
  for (const element of found) add(counts, canonical(element), -1);
  const missing: string[] = [];
  const unexpected: string[] = [];
  for (const [text, n] of counts) for (let i = 0; i < Math.abs(n); i++) (n > 0 ? missing : unexpected).push(text);
  if (missing.length === 0 && unexpected.length === 0) return undefined;
  return [
    `elements differ: ${expected.length} expected, ${found.length} found`,
    ...listed("  - missing:    ", missing),
    ...listed("  + unexpected: ", unexpected),
  ].join("\n");
}

function listed(prefix: string, items: readonly string[]): string[] {
  const shown = items.slice(0, SHOWN).map((item) => prefix + item);
  return items.length > SHOWN ? [...shown, `${prefix}… and ${items.length - SHOWN} more`] : shown;
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

/** Equal text exactly for equal values; object keys in order, -0 apart from 0. */
function canonical(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(canonical).join(", ")}]`;
  if (value instanceof Map)
    return `Map{${[...value]
      .map(([k, v]) => `${canonical(k)} => ${canonical(v)}`)
      .sort()
      .join(", ")}}`;
  if (value instanceof Set) return `Set{${[...value].map(canonical).sort().join(", ")}}`;
  if (value instanceof Uint8Array) return `bytes(${Buffer.from(value).toString("hex")})`;
  if (value === null || typeof value !== "object" || value instanceof Date) return renderElement(value, 1_000_000);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${k}: ${canonical(v)}`).join(", ")}}`;
}
