import { iterableCoder, kvCoder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { checkGroupable, groupedWindowing } from "../model/windowing.js";
import { keyedCoders } from "./keyed-coder.js";

/** What comes of a grouping that keeps late elements. */
export type GroupsAndLate<K, V> = {
  readonly groups: PCollection<KV<K, Iterable<V>>>;
  /**
   * Elements that were in no group, with their own timestamps: they came after their window had expired or its trigger had finished. One
   * that this happened to in several windows is there once for each, in that window.
   */
  readonly late: PCollection<KV<K, V>>;
};

/** Options of {@link groupByKey}. */
export interface GroupByKeyOptions {
  /** Whether elements that come too late have an output of their own, instead of being counted and dropped. */
  readonly late: true;
}

/**
 * Brings the values of equal keys together, per window (`beam:transform:group_by_key:v1`). Keys are equal when their
 * encoded bytes are.
 *
 * With `{ late: true }` every element is either in the groups of its window or in `late`, never in both. Whatever groups what is `late`
 * applies `windowInto()` first, since it would be late there again. Only our own runner knows such an output.
 *
 * @throws PipelineError at construction when the key coder is not deterministic.
 * @example
 * ```ts
 * sales.apply(groupByKey()).apply(map(({ key, value }) => `${key}: ${[...value].length} sales`));
 * ```
 * @example
 * ```ts
 * const script = testStream<KV<string, number>>().at(seconds(1), kv("a", 1)).watermark(minutes(2)).late(seconds(2), kv("a", 2)).end();
 * const { groups, late } = await runPipeline((p) =>
 *   p
 *     .apply(script)
 *     .apply(windowInto(fixed(minutes(1))))
 *     .apply(groupByKey({ late: true })),
 * );
 * console.log(groups, late); // [a: 1] and [a: 2]
 * ```
 */
export function groupByKey<K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Iterable<V>>>>;
export function groupByKey<K, V>(options: GroupByKeyOptions): PTransform<PCollection<KV<K, V>>, GroupsAndLate<K, V>>;
export function groupByKey<K, V>(name: string, options: GroupByKeyOptions): PTransform<PCollection<KV<K, V>>, GroupsAndLate<K, V>>;
export function groupByKey<K, V>(
  ...args: [name?: string, options?: GroupByKeyOptions] | [options: GroupByKeyOptions]
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Iterable<V>>> | GroupsAndLate<K, V>> {
  const [name, options] = typeof args[0] === "object" ? [undefined, args[0]] : [args[0], args[1]];
  const keepsLate = options?.late === true;
  return {
    name,
    defaultName: "groupByKey",
    expand(input) {
      const { graph } = input;
      checkGroupable(graph.currentName, input, keepsLate);
      const { keyCoder, valueCoder } = keyedCoders(input);
      graph.setPrimitive({ kind: "group-by-key", keyCoder, valueCoder });
      const grouped = (tag: string): PCollection<KV<K, Iterable<V>>> =>
        graph.output(kvCoder(keyCoder, iterableCoder(valueCoder)), groupedWindowing(input.windowing), tag);
      if (!keepsLate) return grouped("out");
      // The tag is what the runner knows it by: LATE_OUTPUT of portability/payloads.
      return { groups: grouped("groups"), late: graph.output<KV<K, V>>(input.coder, input.windowing, "late") };
    },
  };
}
