import { iterableCoder, kvCoder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { checkGroupable, groupedWindowing } from "../model/windowing.js";
import { keyedCoders } from "./keyed-coder.js";

/**
 * Brings the values of equal keys together, per window (`beam:transform:group_by_key:v1`). Keys are equal when their
 * encoded bytes are.
 *
 * @throws PipelineError at construction when the key coder is not deterministic.
 * @example
 * ```ts
 * sales.apply(groupByKey()).apply(map(({ key, value }) => `${key}: ${[...value].length} sales`));
 * ```
 */
export function groupByKey<K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Iterable<V>>>> {
  return {
    name,
    defaultName: "groupByKey",
    expand(input) {
      checkGroupable(input.graph.currentName, input);
      const { keyCoder, valueCoder } = keyedCoders(input);
      input.graph.setPrimitive({ kind: "group-by-key", keyCoder, valueCoder });
      return input.graph.output<KV<K, Iterable<V>>>(kvCoder(keyCoder, iterableCoder(valueCoder)), groupedWindowing(input.windowing));
    },
  };
}
