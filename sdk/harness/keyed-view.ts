import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import { renderElement } from "../../portability/stage-host/index.js";
import type { KV } from "../../portability/values/index.js";

/**
 * Keys and values as a map, or, for `multimap`, as a map of lists. Keys are equal when their encoded bytes are.
 *
 * @throws RangeError for a map with two values of one key
 */
export function keyedView(
  elements: readonly KV<unknown, unknown>[],
  keyCoder: Coder<unknown>,
  kind: "map" | "multimap",
  name: string,
): ReadonlyMap<unknown, unknown> {
  const newView = (): Map<unknown, unknown> => (elements.every(({ key }) => isPlainKey(key)) ? new Map() : new EncodedKeyMap(keyCoder));
  if (kind === "multimap") return multimapOf(elements, newView());
  const view = newView();
  for (const { key, value } of elements) view.set(key, value);
  if (view.size < elements.length) refuseRepeatedKeys(elements, newView(), name);
  return view;
}

function multimapOf(elements: readonly KV<unknown, unknown>[], view: Map<unknown, unknown>): ReadonlyMap<unknown, unknown> {
  for (const { key, value } of elements) {
    const values = view.get(key) as unknown[] | undefined;
    if (values === undefined) view.set(key, [value]);
    else values.push(value);
  }
  return view;
}

function refuseRepeatedKeys(elements: readonly KV<unknown, unknown>[], seen: Map<unknown, unknown>, name: string): never {
  const repeated = elements.find(({ key }) => {
    const before = seen.size;
    return seen.set(key, true).size === before;
  });
  throw new RangeError(`side input "${name}" has several values for the key ${renderElement(repeated?.key)}; read it with asMultimap()`);
}

/** Keys that a Map tells apart just as their encodings do. */
function isPlainKey(key: unknown): boolean {
  return typeof key === "string" || (typeof key === "number" && !Object.is(key, -0)) || typeof key === "boolean";
}

/** A Map whose keys are compared by their encodings. */
class EncodedKeyMap extends Map<unknown, unknown> {
  private readonly entriesByBytes = new Map<string, [key: unknown, value: unknown]>();
  private readonly writer = new ByteWriter();

  constructor(private readonly keyCoder: Coder<unknown>) {
    super();
  }

  override get size(): number {
    return this.entriesByBytes?.size ?? 0;
  }
  override get(key: unknown): unknown {
    return this.entriesByBytes.get(this.bytesOf(key))?.[1];
  }
  override has(key: unknown): boolean {
    return this.entriesByBytes.has(this.bytesOf(key));
  }
  override set(key: unknown, value: unknown): this {
    this.entriesByBytes.set(this.bytesOf(key), [key, value]);
    return this;
  }
  override entries(): MapIterator<[unknown, unknown]> {
    return this.entriesByBytes.values();
  }
  override *keys(): MapIterator<unknown> {
    for (const [key] of this.entriesByBytes.values()) yield key;
  }
  override *values(): MapIterator<unknown> {
    for (const [, value] of this.entriesByBytes.values()) yield value;
  }
  override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
    return this.entries();
  }
  override forEach(visit: (value: unknown, key: unknown, map: Map<unknown, unknown>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  /** One character a byte. */
  private bytesOf(key: unknown): string {
    this.writer.reset();
    this.keyCoder.encode(key, this.writer, false);
    const bytes = this.writer.view();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(0, bytes.byteLength);
  }
}
