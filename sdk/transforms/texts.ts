import { renderElement } from "../../portability/stage-host/index.js";
import { utf8Coder, type Coder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { elementwise } from "./par-do.js";

function texts<T>(
  name: string | undefined,
  defaultName: string,
  fn: (value: T) => string,
): PTransform<PCollection<T>, PCollection<string>> {
  return elementwise(name, defaultName, { kind: "map", fn, concurrency: 1 }, () => utf8Coder as Coder<unknown>);
}

/** A value as one line of JSON. @throws TypeError */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item)) as string | undefined;
  if (text === undefined) throw new TypeError(`${renderElement(value)} cannot be written as JSON`);
  return text;
}

/**
 * Each element as text: `String(element)`, and for objects their fields, in at most 10 000 characters.
 *
 * @example
 * ```ts
 * words.apply(countPerElement()).apply(toText()).apply(textIO.write("out/counts"));
 * ```
 */
export const toText = (name?: string): PTransform<PCollection<unknown>, PCollection<string>> =>
  texts(name, "toText", (value: unknown) => (typeof value === "string" ? value : renderElement(value, 10_000)));

/**
 * Each element as one line of JSON. Bigints become texts.
 *
 * @throws (at run time) UserCodeError for what JSON cannot say: undefined, functions, circles
 * @example
 * ```ts
 * orders.apply(toJson()).apply(textIO.write("out/orders"));
 * ```
 */
export const toJson = (name?: string): PTransform<PCollection<unknown>, PCollection<string>> => texts(name, "toJson", jsonOf);

/**
 * Each element read as JSON. What it is like is not known: check it, for instance with a schema.
 *
 * @throws (at run time) UserCodeError for text that is no JSON
 * @example
 * ```ts
 * lines.apply(fromJson()).apply(map((value) => value as { id: string }));
 * ```
 */
export const fromJson = (name?: string): PTransform<PCollection<string>, PCollection<unknown>> =>
  elementwise(name, "fromJson", { kind: "map", fn: (text: string): unknown => JSON.parse(text), concurrency: 1 });
