import { kv, type KV } from "../values/index.js";
import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:kv:v1`: the key nested, then the value in the context of the whole.
 *
 * @example
 * ```ts
 * cards.apply(withCoder(kvCoder(utf8Coder, varintCoder)));
 * ```
 */
export function kvCoder<K, V>(key: Coder<K>, value: Coder<V>): Coder<KV<K, V>> {
  return {
    urn: "beam:coder:kv:v1",
    components: [key as Coder<unknown>, value as Coder<unknown>],
    deterministic: key.deterministic && value.deterministic,
    encode(element, writer, nested) {
      if (typeof element !== "object" || element === null) wrongValue("a KV", element);
      key.encode(element.key, writer, true);
      value.encode(element.value, writer, nested);
    },
    decode(reader, nested) {
      const k = key.decode(reader, true);
      return kv(k, value.decode(reader, nested));
    },
  };
}
