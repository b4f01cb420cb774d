import { kvCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { perKey } from "./per-key.js";
import { anyValue } from "./element-coder.js";
import { fronted, type Around } from "./function-parts.js";
import { keys, values } from "./elementwise.js";
import { elementwise } from "./par-do.js";
import { withCoder } from "./with-coder.js";

const nothing: CombineFn<null, null, null> = {
  createAccumulator: () => null,
  addInput: () => null,
  mergeAccumulators: () => null,
  extractOutput: () => null,
};

/** Any one of the values; null stands for none. */
const anyOne = <T>(): CombineFn<T, readonly [T] | null, T> => ({
  createAccumulator: () => null,
  addInput: (found, value) => found ?? [value],
  mergeAccumulators: (left, right) => left ?? right,
  extractOutput(found) {
    if (found === null) throw new RangeError("nothing to combine");
    return found[0];
  },
});

/**
 * Each element once per window, or one element for each value that `by` gives. Elements are equal when their encoded bytes are.
 *
 * @throws PipelineError at construction when the element coder is not deterministic
 * @example
 * ```ts
 * words.apply(distinct());
 * users.apply(distinct(({ email }) => email));
 * ```
 */
export function distinct<T>(by?: (value: T) => unknown, name?: string): PTransform<PCollection<T>, PCollection<T>> {
  if (by === undefined) return { name, defaultName: "distinct", expand: distinctElements };
  return fronted(name, "distinct", (input, first) => distinctBy(input, by, first));
}

function distinctElements<T>(input: PCollection<T>): PCollection<T> {
  return input
    .apply(
      elementwise<T, KV<T, null>>("key", "key", { kind: "map", fn: (value: T) => kv(value, null), concurrency: 1 }, ({ coder }) =>
        kvCoder(coder, anyValue),
      ),
    )
    .apply(perKey<T, null, null, null>("once", "once", nothing))
    .apply(keys("elements"));
}

function distinctBy<T>(input: PCollection<T>, by: (value: T) => unknown, first: Around<T>): PCollection<T> {
  return input
    .apply(
      first(
        elementwise<T, KV<unknown, T>>("key", "key", { kind: "map", fn: (value: T) => kv(by(value), value), concurrency: 1 }, ({ coder }) =>
          kvCoder(anyValue, coder),
        ),
      ),
    )
    .apply(perKey("any", "any", anyOne<T>()))
    .apply(values("elements"))
    .apply(withCoder(input.coder as Coder<T>));
}
