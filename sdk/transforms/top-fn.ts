import type { CombineFn } from "../model/combine-fn.js";

/** Negative if `a` comes before `b`, as for `Array.prototype.sort`. */
export type Compare<T> = (a: T, b: T) => number;

/**
 * The order of `<`: of numbers, texts, dates, bigints.
 *
 * @example
 * ```ts
 * scores.apply(topPerKey(3, (a, b) => naturalOrder(b, a)));
 * ```
 */
export function naturalOrder<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Keeps the `n` greatest values, in a heap whose root is the least of them: most values cost one comparison. The output has the
 * greatest first.
 *
 * @throws RangeError unless `n` is a whole number above 0
 * @example
 * ```ts
 * scores.apply(combinePerKey(topFn<number>(3)));
 * ```
 */
export function topFn<T>(n: number, compare: Compare<T> = naturalOrder): CombineFn<T, T[], T[]> {
  if (!(Number.isSafeInteger(n) && n > 0)) throw new RangeError(`a whole number above 0 is needed, not ${n}`);
  const add = (heap: T[], value: T): T[] => {
    if (heap.length < n) {
      heap.push(value);
      rise(heap, compare);
    } else if (compare(value, heap[0]) > 0) {
      heap[0] = value;
      sink(heap, compare);
    }
    return heap;
  };
  return {
    createAccumulator: () => [],
    addInput: add,
    mergeAccumulators: (left, right) => right.reduce(add, left),
    extractOutput: (heap) => [...heap].sort((a, b) => compare(b, a)),
  };
}

function rise<T>(heap: T[], compare: Compare<T>): void {
  let at = heap.length - 1;
  const value = heap[at];
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (compare(heap[parent], value) <= 0) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = value;
}

function sink<T>(heap: T[], compare: Compare<T>): void {
  let at = 0;
  const value = heap[0];
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && compare(heap[child + 1], heap[child]) < 0) child++;
    if (compare(value, heap[child]) <= 0) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = value;
}
