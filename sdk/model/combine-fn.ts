import type { Coder } from "../../portability/coders/index.js";

/**
 * An associative, commutative aggregation with an accumulator of its own type (Beam's CombineFn).
 *
 * Laws: merging accumulators in any grouping and order gives the same output; a fresh accumulator changes nothing.
 * `addInput` and `mergeAccumulators` may change and return their first accumulator.
 *
 * @example
 * ```ts
 * const mean: CombineFn<number, { sum: number; n: number }, number> = {
 *   createAccumulator: () => ({ sum: 0, n: 0 }),
 *   addInput: (a, x) => ({ sum: a.sum + x, n: a.n + 1 }),
 *   mergeAccumulators: (a, b) => ({ sum: a.sum + b.sum, n: a.n + b.n }),
 *   extractOutput: (a) => a.sum / a.n,
 * };
 * ```
 */
export interface CombineFn<In, Acc, Out> {
  createAccumulator(): Acc;
  addInput(accumulator: Acc, input: In): Acc;
  mergeAccumulators(left: Acc, right: Acc): Acc;
  extractOutput(accumulator: Acc): Out;
  /** Encodes accumulators between processes; default: any plain JavaScript value. */
  readonly accumulatorCoder?: Coder<Acc>;
}

/**
 * A {@link CombineFn} whose functions may return promises. The inputs of a key are added one after the other, those of other keys meanwhile.
 *
 * @example
 * ```ts
 * const total: AsyncCombineFn<Price, number, number> = {
 *   createAccumulator: () => 0,
 *   addInput: async (sum, price) => sum + price.amount * (await rates.of(price.currency)),
 *   mergeAccumulators: (a, b) => a + b,
 *   extractOutput: (sum) => sum,
 * };
 * ```
 */
export interface AsyncCombineFn<In, Acc, Out> {
  createAccumulator(): Acc | Promise<Acc>;
  addInput(accumulator: Acc, input: In): Acc | Promise<Acc>;
  mergeAccumulators(left: Acc, right: Acc): Acc | Promise<Acc>;
  extractOutput(accumulator: Acc): Out | Promise<Out>;
  readonly accumulatorCoder?: Coder<Acc>;
}
