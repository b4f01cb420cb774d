import assert from "node:assert/strict";
import { ValueCoder } from "../../../../portability/coders/index.js";
import { UserCodeError } from "../../../../portability/stage-host/index.js";
import { IntervalWindow, kv, type ElementMeta, type KV } from "../../../../portability/values/index.js";
import {
  combineGroupedValuesOperator,
  convertToAccumulatorsOperator,
  extractOutputsOperator,
  mergeAccumulatorsOperator,
} from "../../../../sdk/harness/combine-operators.js";
import { COMBINE_CONCURRENCY } from "../../../../sdk/harness/combine-operators.js";
import { precombineOperator } from "../../../../sdk/harness/precombine-operator.js";
import type { Operator, OperatorScope } from "../../../../sdk/harness/operator.js";
import { countFn, meanFn, type AsyncCombineFn, type CombineFn } from "../../../../sdk/index.js";
import { at } from "../../../support/stage-driver.js";

const scope: OperatorScope = {
  name: "combine",
  allowedSkewMs: 0,
  keyed: undefined,
  restrictions: undefined,
  onCommitted: undefined,
  isDraining: () => false,
  shouldPause: () => false,
  resume: () => Promise.resolve(),
  stopped: () => false,
  metrics: undefined,
  atEnd: () => undefined,
  checkpoints: undefined,
  sideInput: () => ({ values: () => [] }),
  userError: (action, cause) => new UserCodeError({ transform: "combine" }, action, cause),
  waits: () => undefined,
  fail: () => undefined,
};
type Fn = CombineFn<unknown, unknown, unknown>;
const count = countFn as unknown as Fn;
const mean = meanFn as unknown as Fn;

function driver(make: (next: (value: unknown, meta: ElementMeta) => void) => Operator) {
  const found: { value: KV<unknown, unknown>; meta: ElementMeta }[] = [];
  const operator = make((value, meta) => found.push({ value: value as KV<unknown, unknown>, meta }));
  return { operator, found, pairs: () => found.map(({ value }) => [value.key, value.value]) };
}

const precombine = (limit?: number) => driver((next) => precombineOperator(count, new ValueCoder(), next, scope, { limit }));

describe("precombine", () => {
  it("gives one accumulator for each key, when the bundle ends", () => {
    const { operator, found, pairs } = precombine();
    for (const key of ["a", "b", "a"]) operator.receive(kv(key, 1), at(0));
    assert.equal(found.length, 0);
    void operator.finishBundle?.();
    assert.deepEqual(pairs(), [
      ["a", 2],
      ["b", 1],
    ]);
    void operator.finishBundle?.();
    assert.equal(found.length, 2, "the next bundle starts empty");
  });

  it("holds a bounded number of keys", () => {
    const { operator, found, pairs } = precombine(3);
    for (let i = 0; i < 10; i++) operator.receive(kv(i, 1), at(0));
    assert.equal(found.length, 9);
    void operator.finishBundle?.();
    assert.deepEqual(
      pairs(),
      Array.from({ length: 10 }, (_, i) => [i, 1]),
    );
  });

  it("tells keys apart exactly as the grouping does", () => {
    const keys = [0, -0, NaN, NaN, 1, "1", 1n, true, null, [1], [1], { a: 1 }, { a: 1 }, new Date(5), new Date(5), "a", "a"];
    const { operator, pairs } = precombine();
    for (const key of keys) operator.receive(kv(key, 1), at(0));
    void operator.finishBundle?.();
    assert.deepEqual(pairs(), [
      [0, 1],
      [-0, 1],
      [NaN, 2],
      [1, 1],
      ["1", 1],
      [1n, 1],
      [true, 1],
      [null, 1],
      [[1], 2],
      [{ a: 1 }, 2],
      [new Date(5), 2],
      ["a", 2],
    ]);
  });

  context("in several windows", () => {
    const first = new IntervalWindow(0, 10);
    const second = new IntervalWindow(5, 15);
    const both = [first, second];
    const results = (fn: Fn) => {
      const { operator, found } = driver((next) => precombineOperator(fn, new ValueCoder(), next, scope));
      operator.receive(kv("k", 1), at(6, [first]));
      operator.receive(kv("k", 2), at(7, both));
      operator.receive(kv("k", 3), at(8, [second]));
      operator.receive(kv("k", 4), at(9, both));
      void operator.finishBundle?.();
      return found.map(({ value, meta }) => [value.value, meta.windows]);
    };

    it("combines elements of the same windows once for all of them", () => {
      assert.deepEqual(results(count), [
        [1, [first]],
        [2, both],
        [1, [second]],
      ]);
    });

    it("gives each window an accumulator of its own where that can be changed", () => {
      const list = { ...count, createAccumulator: (): unknown[] => [], addInput: (all: unknown[], n: unknown) => [...all, n] } as Fn;
      assert.deepEqual(results(list), [
        [[1, 2, 4], [first]],
        [[2, 3, 4], [second]],
      ]);
    });
  });

  it("forgets everything on abort", () => {
    const { operator, found } = precombine();
    operator.receive(kv("a", 1), at(0));
    operator.abort?.();
    void operator.finishBundle?.();
    assert.equal(found.length, 0);
  });

  it("reports what addInput throws", () => {
    const failing: Fn = {
      ...count,
      addInput() {
        throw new Error("no");
      },
    };
    const { operator } = driver((next) => precombineOperator(failing, new ValueCoder(), next, scope));
    assert.throws(() => operator.receive(kv("a", 1), at(0)), /addInput failed in transform "combine": no/);
  });
});

describe("the parts of a lifted combine", () => {
  it("merge, then extract", () => {
    const { operator, pairs } = driver((next) =>
      mergeAccumulatorsOperator(mean, (value, meta) => extractOutputsOperator(mean, next, scope).receive(value, meta), scope),
    );
    operator.receive(
      kv("k", [
        { sum: 1, count: 1 },
        { sum: 5, count: 2 },
      ]),
      at(0),
    );
    assert.deepEqual(pairs(), [["k", 2]]);
  });

  it("convert single inputs to accumulators", () => {
    const { operator, pairs } = driver((next) => convertToAccumulatorsOperator(mean, next, scope));
    operator.receive(kv("k", 3), at(0));
    assert.deepEqual(pairs(), [["k", { sum: 3, count: 1 }]]);
  });

  it("combine whole groups where nothing was lifted, and merge nothing to the empty accumulator", () => {
    const whole = driver((next) => combineGroupedValuesOperator(mean, next, scope));
    whole.operator.receive(kv("k", new Set([1, 2, 6])), at(0));
    assert.deepEqual(whole.pairs(), [["k", 3]]);
    const merge = driver((next) => mergeAccumulatorsOperator(count, next, scope));
    merge.operator.receive(kv("k", []), at(0));
    assert.deepEqual(merge.pairs(), [["k", 0]]);
  });

  it("report what the author's functions throw", () => {
    const failing: Fn = {
      ...count,
      extractOutput() {
        throw new Error("no");
      },
    };
    const { operator } = driver((next) => extractOutputsOperator(failing, next, scope));
    assert.throws(() => operator.receive(kv("k", 1), at(0)), /extractOutput failed in transform "combine": no/);
  });
});

describe("a combine that answers with promises", () => {
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Adds when told to: each call waits for its turn to be let go. */
  function bench() {
    const waiting: { readonly input: number; readonly go: () => void; readonly fail: (cause: Error) => void }[] = [];
    const fn: AsyncCombineFn<number, number, number> = {
      createAccumulator: () => 0,
      addInput: (sum, input) => new Promise((resolve, reject) => waiting.push({ input, go: () => resolve(sum + input), fail: reject })),
      mergeAccumulators: (a, b) => a + b,
      extractOutput: (sum) => sum,
    };
    const sent: unknown[] = [];
    const failures: Error[] = [];
    let waits = false;
    const operator = precombineOperator(
      fn as AsyncCombineFn<unknown, unknown, unknown>,
      new ValueCoder(),
      (value) => void sent.push(value),
      {
        ...scope,
        waits: () => void (waits = true),
        fail: (error) => void failures.push(error),
        stopped: () => failures.length > 0,
      },
    );
    return { waiting, sent, failures, operator, waits: () => waits, add: (key: string, n: number) => operator.receive(kv(key, n), at(0)) };
  }

  it("adds the inputs of a key one after the other, and those of others meanwhile", async () => {
    const { waiting, sent, operator, add } = bench();
    add("a", 1);
    add("a", 2);
    add("b", 5);
    await settled();
    assert.deepEqual(
      waiting.map(({ input }) => input),
      [1, 5],
    );
    const finished = operator.finishBundle?.();
    for (let i = 0; i < waiting.length; i++) {
      waiting[i].go();
      await settled();
    }
    await finished;
    assert.deepEqual(sent, [kv("a", 3), kv("b", 5)]);
  });

  it("asks for a pause while too many are under way", async () => {
    const { waiting, operator, waits, add } = bench();
    assert.equal(waits(), false);
    for (let i = 0; i < COMBINE_CONCURRENCY - 1; i++) add(`k${i}`, i);
    assert.equal(waits(), true, "nobody would ask");
    assert.equal(operator.blocked?.(), undefined);
    add("last", 1);
    const room = operator.blocked?.();
    assert.ok(room !== undefined);
    await settled();
    waiting[0].go();
    await room;
    assert.equal(operator.blocked?.(), undefined);
  });

  it("fails the bundle with the input whose promise was rejected, and sends nothing", async () => {
    const { waiting, sent, failures, operator, add } = bench();
    add("a", 1);
    await settled();
    const finished = operator.finishBundle?.();
    waiting[0].fail(new Error("no"));
    await finished;
    assert.match(failures[0].message, /addInput failed in transform "combine": no/);
    assert.deepEqual(sent, []);
  });

  it("merges and extracts in the order of keys", async () => {
    const sent: unknown[] = [];
    const fn = { ...count, mergeAccumulators: async (a: unknown, b: unknown) => Promise.resolve((a as number) + (b as number)) };
    const operator = mergeAccumulatorsOperator(fn, (value) => void sent.push(value), scope);
    operator.receive(kv("a", [1, 2, 3]), at(0));
    operator.receive(kv("b", [4]), at(0));
    await operator.finishBundle?.();
    assert.deepEqual(sent, [kv("a", 6), kv("b", 4)]);
  });
});
