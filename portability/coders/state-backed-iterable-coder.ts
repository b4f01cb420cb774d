import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { iterableCoder, readElements } from "./iterable-coder.js";

/**
 * Makes the whole of an iterable whose beginning was inline and whose rest is in state, as nested elements under a token.
 * It may read at once, or give an iterable that reads when it is walked.
 */
export type StateBackedRest = (inline: unknown[], token: Uint8Array, element: Coder<unknown>) => Iterable<unknown>;

/**
 * `beam:coder:state_backed_iterable:v1`: an iterable; in its form of chunks, a chunk count of −1 (ten bytes) ends what is
 * inline, and varint length and token follow. Always written whole, with its count.
 * @param rest without it, an iterable with a rest in state is a CoderError
 * @example
 * ```ts
 * const coder = stateBackedIterableCoder(varintCoder, undefined);
 * ```
 */
export function stateBackedIterableCoder<T>(element: Coder<T>, rest?: StateBackedRest): Coder<Iterable<T>> {
  const whole = iterableCoder(element);
  return {
    urn: "beam:coder:state_backed_iterable:v1",
    components: [element as Coder<unknown>],
    deterministic: element.deterministic,
    encode: (values, writer, nested) => whole.encode(values, writer, nested),
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
        if (chunk > 0) readElements(items, chunk, element, reader);
        else if (chunk !== -1) reader.fail(`negative chunk length ${chunk}`);
        else {
          const token = reader.readBytes(reader.readLength());
          if (rest === undefined)
            throw new CoderError("the rest of an iterable is in state, but nothing can read state here", reader.offset);
          return rest(items, token, element as Coder<unknown>) as Iterable<T>;
        }
      }
    },
  };
}
