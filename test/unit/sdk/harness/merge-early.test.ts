import assert from "node:assert/strict";
import { counter } from "../../../../sdk/index.js";
import { enter, leave, StepMetrics } from "../../../../sdk/metrics/step-metrics.js";
import { mergeEarly } from "../../../../sdk/harness/merge-early.js";
import type { AsyncCombineFn } from "../../../../sdk/index.js";

const mergeWith = (mergeAccumulators: (left: unknown, right: unknown) => unknown) =>
  mergeEarly({ createAccumulator: () => 0, addInput: (a) => a, mergeAccumulators, extractOutput: (a) => a } as AsyncCombineFn<
    unknown,
    unknown,
    unknown
  >);

describe("mergeEarly", () => {
  it("merges what nobody can change", () => {
    const either = mergeWith((left, right) => left ?? right);
    for (const value of [1, "text", 2n, true, false, null]) assert.equal(either(value, value), value);
    assert.equal(mergeWith((left, right) => (left as number) + (right as number))(1, 2), 3);
  });

  it("does not even ask the function for anything else, since it may change what it is given", () => {
    let asked = 0;
    const merge = mergeWith(() => asked++);
    for (const value of [{ n: 1 }, [1], new Date(0), () => 1])
      for (const pair of [
        [value, value],
        [1, value],
        [value, 1],
      ])
        assert.equal(merge(pair[0], pair[1]), undefined);
    assert.equal(asked, 0);
  });

  it("keeps both if the function throws, or makes something that can be changed", () => {
    assert.equal(
      mergeWith(() => {
        throw new Error("fails");
      })(1, 2),
      undefined,
    );
    assert.equal(mergeWith((left, right) => [left, right])(1, 2), undefined);
  });

  it("keeps both if the function uses a metric, which counts what bundles do", () => {
    const merges = counter("merges");
    const merge = mergeWith((left, right) => {
      merges.inc();
      return (left as number) + (right as number);
    });
    const step = new StepMetrics("some transform that happens to run");
    const before = enter(step);
    assert.equal(merge(1, 2), undefined);
    leave(before);
    assert.deepEqual(step.attempted(), []);
  });

  it("keeps both if the function gives a promise, and leaves it and its failure to who asks again", async () => {
    let asked = 0;
    const later = mergeWith(() => Promise.resolve(++asked));
    for (let i = 0; i < 3; i++) assert.equal(later(1, 2), undefined);
    assert.equal(asked, 1);
    assert.equal(mergeWith(() => Promise.reject(new Error("later")))(1, 2), undefined);
    await new Promise(setImmediate); // an unhandled rejection would fail the test
  });
});
