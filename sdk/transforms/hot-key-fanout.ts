import { kvCoder, varintCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { withReason } from "./function-parts.js";
import { OF_COMBINING, perKey } from "./per-key.js";
import { anyValue } from "./element-coder.js";
import { keyedCoders } from "./keyed-coder.js";
import { elementwise } from "./par-do.js";

/** A key and which of its parts: the key of the first stage. */
type Part<K> = KV<K, number>;

/** Combines per key in two stages: parts of a key into accumulators, then those into one. @internal */
export function withFanout<K, In, Acc, Out>(
  name: string | undefined,
  defaultName: string,
  fn: AsyncCombineFn<In, Acc, Out>,
  fanout: number | ((key: K) => number),
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>> {
  const partsOf = typeof fanout === "number" ? () => fanout : fanout;
  if (typeof fanout === "number") checkParts(fanout);
  const transform: PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>> = {
    name,
    defaultName,
    expand(input) {
      const { keyCoder, valueCoder } = keyedCoders(input);
      const partCoder = kvCoder(keyCoder, varintCoder) as Coder<unknown>;
      let next = 0;
      const toPart = ({ key, value }: KV<K, In>): KV<Part<K>, In> => kv(kv(key, next++ % checkParts(partsOf(key))), value);
      const accumulatorCoder = (fn.accumulatorCoder ?? anyValue) as Coder<unknown>;
      return input
        .apply(step<KV<K, In>, KV<Part<K>, In>>("part", toPart, kvCoder(partCoder, valueCoder)))
        .apply(perKey("combine parts", "combine parts", { ...fn, extractOutput: (accumulator: Acc) => accumulator }))
        .apply(step<KV<Part<K>, Acc>, KV<K, Acc>>("whole", ({ key, value }) => kv(key.key, value), kvCoder(keyCoder, accumulatorCoder)))
        .apply(perKey("combine", "combine", { ...fn, addInput: (all: Acc, part: Acc) => fn.mergeAccumulators(all, part) }));
    },
  };
  return withReason(transform, OF_COMBINING);
}

function step<T, R>(name: string, fn: (value: T) => R, coder: unknown): PTransform<PCollection<T>, PCollection<R>> {
  return elementwise(name, name, { kind: "map", fn, concurrency: 1 }, () => coder as Coder<unknown>);
}

function checkParts(parts: number): number {
  if (Number.isSafeInteger(parts) && parts > 0) return parts;
  throw new RangeError(`hotKeyFanout must be a whole number above 0, not ${String(parts)}`);
}
