// `beam:coder:iterable:v1`, and reading elements whose number the input states.
import type { ByteReader } from "./byte-reader.js";
import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:iterable:v1`: int32 count and that many nested elements. Also read, never written: int32 −1 and chunks of a
 * varint count and elements, the last of which is empty. Decodes to an array.
 *
 * @example
 * ```ts
 * const coder = iterableCoder(varintCoder);
 * const writer = new ByteWriter();
 * coder.encode([1, 2, 3], writer, true);
 * const same = coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export function iterableCoder<T>(element: Coder<T>): Coder<Iterable<T>> {
  return {
    urn: "beam:coder:iterable:v1",
    components: [element as Coder<unknown>],
    deterministic: element.deterministic,
    encode(values, writer) {
      const items = arrayOf(values);
      writer.writeInt32(items.length);
      for (let i = 0; i < items.length; i++) element.encode(items[i], writer, true);
    },
    decode(reader) {
      const items: T[] = [];
      const count = reader.readInt32();
      if (count >= 0) {
        readElements(items, count, element, reader);
        return items;
      }
      if (count !== -1) reader.fail(`negative count ${count}`);
      for (;;) {
        const chunk = reader.readVarint();
        if (chunk === 0) return items;
        if (chunk < 0) reader.fail(`negative chunk length ${chunk}`);
        readElements(items, chunk, element, reader);
      }
    },
  };
}

/**
 * Appends `count` nested elements to `items`. The count is not trusted: memory grows with the elements that are read.
 * @throws CoderError for more elements without bytes than a reader accepts
 * @internal
 */
export function readElements<T>(items: T[], count: number, element: Coder<T>, reader: ByteReader): void {
  for (let i = 0; i < count; i++) {
    const before = reader.offset;
    items.push(element.decode(reader, true));
    if (reader.offset === before) reader.countEmptyElement();
  }
}

function arrayOf<T>(values: Iterable<T>): readonly T[] {
  if (Array.isArray(values)) return values as readonly T[];
  if (typeof values !== "object" || values === null || typeof values[Symbol.iterator] !== "function") wrongValue("an iterable", values);
  return [...values];
}
