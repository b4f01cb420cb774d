import type { ByteReader } from "./byte-reader.js";
import type { Coder } from "./coder.js";

/** Most elements without any bytes that a count may claim: they cost memory that no input pays for. */
const MAX_EMPTY_ELEMENTS = 1 << 20;

/**
 * `beam:coder:iterable:v1`: int32 count and nested elements; or, read only, −1 and chunks with varint counts until 0.
 * Decodes to an array.
 */
export function iterableCoder<T>(element: Coder<T>): Coder<Iterable<T>> {
  return {
    urn: "beam:coder:iterable:v1",
    components: [element as Coder<unknown>],
    deterministic: element.deterministic,
    encode(values, writer) {
      const items = Array.isArray(values) ? (values as readonly T[]) : [...values];
      writer.writeInt32(items.length);
      for (let i = 0; i < items.length; i++) element.encode(items[i], writer, true);
    },
    decode(reader) {
      const items: T[] = [];
      const count = reader.readInt32();
      if (count >= 0) readElements(items, count, element, reader);
      else if (count !== -1) reader.fail(`negative count ${count}`);
      else
        for (;;) {
          const chunk = reader.readVarint();
          if (chunk === 0) break;
          if (chunk < 0) reader.fail(`negative chunk length ${chunk}`);
          readElements(items, chunk, element, reader);
        }
      return items;
    },
  };
}

/** Appends `count` nested elements to `items`. */
export function readElements<T>(items: T[], count: number, element: Coder<T>, reader: ByteReader): void {
  let empty = 0;
  for (let i = 0; i < count; i++) {
    const before = reader.offset;
    items.push(element.decode(reader, true));
    if (reader.offset === before && ++empty > MAX_EMPTY_ELEMENTS) reader.fail(`more than ${MAX_EMPTY_ELEMENTS} elements without bytes`);
  }
}
