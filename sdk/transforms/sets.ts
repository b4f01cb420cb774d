import { kvCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { pipelineOf } from "./co-group-by-key.js";
import { perKey } from "./per-key.js";
import { distinct } from "./distinct.js";
import { anyValue } from "./element-coder.js";
import { flatten } from "./flatten.js";
import { elementwise } from "./par-do.js";

type OfTwo<T> = PTransform<PCollection<T>, PCollection<T>>;
/** How often an element occurs on the left and on the right. */
type Counts = readonly [left: number, right: number];

const addCounts: CombineFn<Counts, Counts, Counts> = {
  createAccumulator: () => [0, 0],
  addInput: (sum, counts) => [sum[0] + counts[0], sum[1] + counts[1]],
  mergeAccumulators: (a, b) => [a[0] + b[0], a[1] + b[1]],
  extractOutput: (sum) => sum,
};

/**
 * All elements of both PCollections, those that both have twice (Beam's `Sets.unionAll`).
 *
 * @example
 * ```ts
 * ours.apply(unionAll(theirs));
 * ```
 */
export const unionAll = <T>(other: PCollection<T>, name?: string): OfTwo<T> => ({
  name,
  defaultName: "unionAll",
  expand: (input) => pipelineOf(input).apply(flatten("both", [input, other])),
});

/**
 * Each element of either PCollection, once per window (Beam's `Sets.unionDistinct`).
 *
 * @example
 * ```ts
 * ours.apply(unionDistinct(theirs));
 * ```
 */
export const unionDistinct = <T>(other: PCollection<T>, name?: string): OfTwo<T> => ({
  name,
  defaultName: "unionDistinct",
  expand: (input) =>
    pipelineOf(input)
      .apply(flatten("both", [input, other]))
      .apply(distinct()),
});

/**
 * Each element that both PCollections have, once per window (Beam's `Sets.intersectDistinct`).
 *
 * @example
 * ```ts
 * ours.apply(intersectDistinct(theirs));
 * ```
 */
export const intersectDistinct = <T>(other: PCollection<T>, name?: string): OfTwo<T> =>
  byCounts(other, name, "intersectDistinct", ([left, right]) => (left > 0 && right > 0 ? 1 : 0));

/**
 * Each element that both PCollections have, as often as the one that has it less often (Beam's `Sets.intersectAll`).
 *
 * @example
 * ```ts
 * ours.apply(intersectAll(theirs));
 * ```
 */
export const intersectAll = <T>(other: PCollection<T>, name?: string): OfTwo<T> =>
  byCounts(other, name, "intersectAll", ([left, right]) => Math.min(left, right));

/**
 * Each element that the other PCollection does not have, once per window (Beam's `Sets.exceptDistinct`).
 *
 * @example
 * ```ts
 * ours.apply(exceptDistinct(theirs));
 * ```
 */
export const exceptDistinct = <T>(other: PCollection<T>, name?: string): OfTwo<T> =>
  byCounts(other, name, "exceptDistinct", ([left, right]) => (left > 0 && right === 0 ? 1 : 0));

/**
 * Each element as often as it occurs more often than in the other PCollection (Beam's `Sets.exceptAll`).
 *
 * @example
 * ```ts
 * ours.apply(exceptAll(theirs));
 * ```
 */
export const exceptAll = <T>(other: PCollection<T>, name?: string): OfTwo<T> =>
  byCounts(other, name, "exceptAll", ([left, right]) => Math.max(0, left - right));

function byCounts<T>(other: PCollection<T>, name: string | undefined, defaultName: string, times: (counts: Counts) => number): OfTwo<T> {
  return {
    name,
    defaultName,
    expand(input) {
      const { coder } = input;
      const sides = [counted(input, "left", [1, 0]), counted(other, "right", [0, 1])];
      return pipelineOf(input)
        .apply(flatten("both", sides))
        .apply(perKey("count", "count", addCounts))
        .apply(
          elementwise<KV<T, Counts>, T>(
            "repeat",
            "repeat",
            { kind: "flat-map", fn: ({ key, value }: KV<T, Counts>) => new Array<T>(times(value)).fill(key), concurrency: 1 },
            () => coder,
          ),
        );
    },
  };
}

function counted<T>(input: PCollection<T>, side: string, counts: Counts): PCollection<KV<T, Counts>> {
  const fn = (value: T): KV<T, Counts> => kv(value, counts);
  return input.apply(
    elementwise<T, KV<T, Counts>>(
      side,
      side,
      { kind: "map", fn, concurrency: 1 },
      ({ coder }) => kvCoder(coder, anyValue) as Coder<unknown>,
    ),
  );
}
