// What the body of a request says, by its media type.
import { isUtf8 } from "node:buffer";
import { Refusal } from "./refusal.js";

export type BodyFormat = "json" | "json-lines" | "text";

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map<string, BodyFormat>([
  ["application/json", "json"],
  ["application/x-ndjson", "json-lines"],
  ["application/ndjson", "json-lines"],
  ["application/jsonl", "json-lines"],
  ["text/plain", "text"],
]);

/** @throws Refusal 415 */
export function formatOf(contentType = ""): BodyFormat {
  const type = contentType.split(";", 1)[0].trim().toLowerCase();
  const format = FORMATS.get(type);
  if (format !== undefined) return format;
  throw new Refusal(415, `a body is of the type ${[...FORMATS.keys()].join(", ")}, not ${type === "" ? "of none" : type}`);
}

/** @throws Refusal 400 that names the first line which is none, or the message of `check` */
export function elementsOf<T>(body: Buffer, format: BodyFormat, check: (sent: unknown) => T): T[] {
  if (!isUtf8(body)) throw new Refusal(400, "the body is not UTF-8");
  const text = body.toString("utf8");
  if (format === "text") return [checked(text, check, "")];
  if (format === "json") return [checked(parsed(text, ""), check, "")];
  const elements: T[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `line ${i + 1}: `;
    elements.push(checked(parsed(line, where), check, where));
  }
  return elements;
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `${where}not JSON: ${(error as Error).message}`);
  }
}

function checked<T>(sent: unknown, check: (sent: unknown) => T, where: string): T {
  try {
    return check(sent);
  } catch (error) {
    throw new Refusal(400, where + (error instanceof Error ? error.message : String(error)));
  }
}
