// The error bounds that approximate transforms promise, and that parts combine into the whole.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../../portability/coders/index.js";
import { approximateQuantilesFn, approximateUniqueFn, sampleFn, topFn, type CombineFn } from "../../../sdk/index.js";

/** Combines values cut into parts, each part's accumulator encoded and decoded on its way if it has a coder. */
function combined<In, Acc, Out>(fn: CombineFn<In, Acc, Out>, values: readonly In[], parts: number): Out {
  let whole = fn.createAccumulator();
  for (let part = 0; part < parts; part++) {
    const accumulator = values.filter((_, i) => i % parts === part).reduce((acc, value) => fn.addInput(acc, value), fn.createAccumulator());
    whole = fn.mergeAccumulators(whole, travelled(fn, accumulator));
  }
  return fn.extractOutput(whole);
}

function travelled<Acc>({ accumulatorCoder }: CombineFn<never, Acc, unknown>, accumulator: Acc): Acc {
  if (accumulatorCoder === undefined) return accumulator;
  const writer = new ByteWriter();
  accumulatorCoder.encode(accumulator, writer, true);
  return accumulatorCoder.decode(new ByteReader(writer.view().slice()), true);
}

const parts = fc.integer({ min: 1, max: 5 });

describe("approximateUniqueFn", () => {
  it("is within five standard errors of the number of different values", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 10, max: 14 }), parts, fc.nat(), (count, precision, cut, salt) => {
        const values = Array.from({ length: count * 2 }, (_, i) => `${salt} ${i % count}`);
        const estimate = combined(approximateUniqueFn({ precision }), values, cut);
        const bound = (5 * 1.04) / Math.sqrt(2 ** precision);
        assert.ok(Math.abs(estimate - count) <= Math.max(1, count * bound), `${estimate} instead of ${count}`);
      }),
      { numRuns: 12 },
    );
  });

  it("does not depend on how values are cut into parts", () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 50 }), parts, (values, cut) => {
        const plain = values.map((value) => fc.stringify(value));
        assert.equal(combined(approximateUniqueFn(), plain, cut), combined(approximateUniqueFn(), plain, 1));
      }),
    );
  });
});

describe("approximateQuantilesFn", () => {
  const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 });

  it("gives least and greatest exactly, and between them values within the relative accuracy of true ones", () => {
    fc.assert(
      fc.property(numbers, parts, fc.constantFrom(0.01, 0.05), (values, cut, relativeAccuracy) => {
        const sorted = [...values].sort((a, b) => a - b);
        const found = combined(approximateQuantilesFn(5, { relativeAccuracy }), values, cut);
        assert.equal(found.length, 5);
        assert.equal(found[0], sorted[0]);
        assert.equal(found[4], sorted.at(-1));
        for (let i = 1; i < 4; i++) {
          const rank = (i / 4) * (sorted.length - 1);
          const near = [Math.floor(rank), Math.ceil(rank)].map((at) => sorted[at]);
          const isClose = near.some((exact) => Math.abs(found[i] - exact) <= Math.abs(exact) * relativeAccuracy * 1.001 + 1e-9);
          assert.ok(isClose, `${found[i]} is not near ${near.join(" or ")}`);
        }
      }),
    );
  });

  it("refuses what is no finite number", () => {
    const fn = approximateQuantilesFn(3);
    assert.throws(() => fn.addInput(fn.createAccumulator(), NaN), /finite numbers, not of NaN/);
  });
});

describe("topFn", () => {
  it("is the front of all values in order, however they are cut into parts", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), parts, (values, n, cut) => {
        assert.deepEqual(combined(topFn<number>(n), values, cut), [...values].sort((a, b) => b - a).slice(0, n));
      }),
    );
  });
});

describe("sampleFn", () => {
  it("is a part of the values, of the size that was asked for", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), parts, (values, n, cut) => {
        const sample = combined(sampleFn<number>(n), values, cut);
        assert.equal(sample.length, Math.min(n, values.length));
        assert.equal(new Set(sample).size, sample.length);
        for (const value of sample) assert.ok(values.includes(value));
      }),
    );
  });
});
