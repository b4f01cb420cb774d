import assert from "node:assert/strict";
import { Finalizers, VirtualClock } from "../../../../runner/runtime/index.js";

describe("functions that are called when a bundle is durable", () => {
  function bench(awaitsEpochs: boolean) {
    const called: string[] = [];
    const failures: string[] = [];
    const clock = new VirtualClock();
    const finalizers = new Finalizers(clock, awaitsEpochs, (error) => failures.push((error as Error).message));
    const add = (name: string, expireAfterMs = 10): void => finalizers.add(() => void called.push(name), expireAfterMs);
    const bundle = (...names: string[]): void => {
      for (const name of names) add(name);
      finalizers.commit();
    };
    return { called, failures, clock, finalizers, add, bundle };
  }

  it("are called with the commit, in their order, where that is enough", async () => {
    const { called, finalizers, bundle } = bench(false);
    bundle("a", "b");
    bundle("c");
    await finalizers.settled;
    assert.deepEqual(called, ["a", "b", "c"]);
  });

  it("are called when the epoch behind them is published, where it takes one", async () => {
    const { called, finalizers, bundle } = bench(true);
    bundle("a");
    finalizers.published(1); // an earlier one
    finalizers.passBarrier(2);
    bundle("b");
    finalizers.passBarrier(3);
    bundle("c");
    await finalizers.settled;
    assert.deepEqual(called, []);
    finalizers.published(2);
    await finalizers.settled;
    assert.deepEqual(called, ["a"]);
    finalizers.passBarrier(5); // 4 was given up
    finalizers.published(5);
    await finalizers.settled;
    assert.deepEqual(called, ["a", "b", "c"]);
  });

  it("are forgotten with a bundle that fails", async () => {
    const { called, finalizers, add, bundle } = bench(false);
    add("a");
    finalizers.rollback();
    bundle("b");
    await finalizers.settled;
    assert.deepEqual(called, ["b"]);
  });

  it("are not called once they have expired", async () => {
    const { called, finalizers, clock, add } = bench(true);
    add("a", 10);
    add("b", 11);
    finalizers.commit();
    finalizers.passBarrier(1);
    clock.advance(10);
    finalizers.published(1);
    await finalizers.settled;
    assert.deepEqual(called, ["b"]);
  });

  it("are called although one before fails, which is told", async () => {
    const { called, failures, finalizers, bundle } = bench(false);
    finalizers.add(() => Promise.reject(new Error("nobody there")), 10);
    bundle("b");
    await finalizers.settled;
    assert.deepEqual([called, failures], [["b"], ["nobody there"]]);
  });
});
