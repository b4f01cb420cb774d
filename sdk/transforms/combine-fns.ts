import type { AsyncCombineFn, CombineFn } from "../model/combine-fn.js";

/** "No value yet": what an accumulator of a binary function starts as. Encoded as null between processes. */
const NOTHING = null;

/**
 * A CombineFn of an associative, commutative function of two values; its accumulator is `[value]`, or null for none.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(fromBinary((a: number, b: number) => Math.max(a, b))));
 * ```
 */
export function fromBinary<T>(fn: (left: T, right: T) => T): CombineFn<T, [T] | null, T>;
export function fromBinary<T>(fn: (left: T, right: T) => T | Promise<T>): AsyncCombineFn<T, [T] | null, T>;
export function fromBinary<T>(fn: (left: T, right: T) => T | Promise<T>): AsyncCombineFn<T, [T] | null, T> {
  const into = (accumulator: [T], value: T): [T] | Promise<[T]> => {
    const result = fn(accumulator[0], value);
    if (result instanceof Promise) return result.then((settled): [T] => [settled]);
    accumulator[0] = result;
    return accumulator;
  };
  return {
    createAccumulator: () => NOTHING,
    addInput(accumulator, input) {
      if (accumulator === NOTHING) return [input];
      return into(accumulator, input);
    },
    mergeAccumulators(left, right) {
      if (left === NOTHING) return right;
      if (right === NOTHING) return left;
      return into(left, right[0]);
    },
    extractOutput(accumulator) {
      if (accumulator === NOTHING) throw new RangeError("nothing to combine");
      return accumulator[0];
    },
  };
}

/**
 * Counts elements.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(countFn));
 * ```
 */
export const countFn: CombineFn<unknown, number, number> = {
  createAccumulator: () => 0,
  addInput: (n) => n + 1,
  mergeAccumulators: (a, b) => a + b,
  extractOutput: (n) => n,
};

/**
 * Adds numbers.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(sumFn));
 * ```
 */
export const sumFn: CombineFn<number, number, number> = {
  createAccumulator: () => 0,
  addInput: (a, x) => a + x,
  mergeAccumulators: (a, b) => a + b,
  extractOutput: (a) => a,
};

/**
 * The arithmetic mean; NaN of nothing.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(meanFn));
 * ```
 */
export const meanFn: CombineFn<number, { sum: number; count: number }, number> = {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  addInput(a, x) {
    a.sum += x;
    a.count++;
    return a;
  },
  mergeAccumulators(a, b) {
    a.sum += b.sum;
    a.count += b.count;
    return a;
  },
  extractOutput: (a) => a.sum / a.count,
};

type Comparable = number | bigint | string | Date;

/**
 * The least value.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(minFn<number>()));
 * ```
 */
export const minFn = <T extends Comparable>(): CombineFn<T, [T] | null, T> => fromBinary<T>((a, b) => (b < a ? b : a));
/**
 * The greatest value.
 *
 * @example
 * ```ts
 * sales.apply(combinePerKey(maxFn<number>()));
 * ```
 */
export const maxFn = <T extends Comparable>(): CombineFn<T, [T] | null, T> => fromBinary<T>((a, b) => (b > a ? b : a));
