import { kvCoder } from "../../portability/coders/index.js";
import type { KV } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { checkGroupable, groupedWindowing } from "../model/windowing.js";
import { anyValue } from "./element-coder.js";
import { withReason } from "./function-parts.js";
import { keyedCoders } from "./keyed-coder.js";

/** The primitive behind all combines of keyed values. @internal */
export function perKey<K, In, Acc, Out>(
  name: string | undefined,
  defaultName: string,
  combineFn: AsyncCombineFn<In, Acc, Out>,
): PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>> {
  const transform: PTransform<PCollection<KV<K, In>>, PCollection<KV<K, Out>>> = {
    name,
    defaultName,
    expand(input) {
      checkGroupable(input.graph.currentName, input);
      const { keyCoder } = keyedCoders(input);
      input.graph.setPrimitive({
        kind: "combine-per-key",
        combineFn: combineFn as unknown as AsyncCombineFn<unknown, unknown, unknown>,
        keyCoder,
      });
      return input.graph.output<KV<K, Out>>(kvCoder(keyCoder, anyValue), groupedWindowing(input.windowing));
    },
  };
  return withReason(transform, OF_COMBINING);
}

/** Why a combine has no dead letters. @internal */
export const OF_COMBINING =
  "combines elements, and what fails then is no single element: check them before, by withFailures(filter(…)) or withFailures(map(…))";
