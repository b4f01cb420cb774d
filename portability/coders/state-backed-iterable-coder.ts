import { ByteReader } from "./byte-reader.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { iterableCoder, readElements } from "./iterable-coder.js";

/** Reads the rest of an iterable whose beginning is inline: nested elements, under a token. */
export type StateReader = (token: Uint8Array) => Uint8Array;

/**
 * `beam:coder:state_backed_iterable:v1`: an iterable, which may end with a chunk count of −1 and a token under which the
 * State API has the rest. Always written whole.
 */
export function stateBackedIterableCoder<T>(element: Coder<T>, readState?: StateReader): Coder<Iterable<T>> {
  const whole = iterableCoder(element);
  return {
    urn: "beam:coder:state_backed_iterable:v1",
    components: [element as Coder<unknown>],
    deterministic: element.deterministic,
    encode: (values, writer, nested) => whole.encode(values, writer, nested),
    decode(reader) {
      const items: T[] = [];
      const count = reader.readInt32();
      if (count < -1) reader.fail(`negative count ${count}`);
      if (count >= 0) {
        readElements(items, count, element, reader);
        return items;
      }
      for (;;) {
        const chunk = reader.readVarint();
        if (chunk === 0) return items;
        if (chunk > 0) readElements(items, chunk, element, reader);
        else if (chunk !== -1) reader.fail(`negative chunk length ${chunk}`);
        else {
          const token = reader.readBytes(reader.readLength());
          if (readState === undefined) throw new CoderError("the rest of an iterable is in state, but nothing can read state here", reader.offset);
          const rest = new ByteReader(readState(token));
          while (rest.remaining > 0) items.push(element.decode(rest, true));
          return items;
        }
      }
    },
  };
}
