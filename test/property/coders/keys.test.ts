// What grouping relies on: among the values of a coder that may encode keys, equal ones have equal bytes and different ones have not.
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { ByteReader, CoderError, iterableCoder, type Coder } from "../../../portability/coders/index.js";
import { decode, encode } from "../../support/coding.js";
import { anyCoder } from "./any-coder.js";

const keyCoders = anyCoder.filter(({ coder }) => coder.deterministic);

describe("any coder that may encode keys", () => {
  it("gives different values different bytes, and equal ones equal bytes", () => {
    const pairs = keyCoders.chain(({ coder, values }) => fc.tuple(fc.constant(coder), values, values, fc.boolean()));
    fc.assert(
      fc.property(pairs, ([coder, a, b, nested]) => {
        // As they are read: null and undefined, or 0 and −0, are one value to most coders.
        const read = (value: unknown): unknown => decode(coder, encode(coder, value, nested), nested);
        assert.equal(encode(coder, a, nested).equals(encode(coder, b, nested)), isDeepStrictEqual(read(a), read(b)));
      }),
      { numRuns: 200 },
    );
  });

  it("gives no value bytes that another one's begin with, so that keys can be told apart in a stream", () => {
    const pairs = keyCoders.chain(({ coder, values }) => fc.tuple(fc.constant(coder), values, values));
    fc.assert(
      fc.property(pairs, ([coder, a, b]) => {
        const [shorter, longer] = [encode(coder, a), encode(coder, b)].sort((x, y) => x.length - y.length);
        if (shorter.length < longer.length) assert.notDeepEqual(longer.subarray(0, shorter.length), shorter);
      }),
      { numRuns: 200 },
    );
  });
});

describe("any coder and a hostile count", () => {
  /** Counts and lengths that are large in every way that they are written. */
  const huge = fc.constantFrom("7fffffff", "ffffffffffffffffff7f", "ffffffff07", "ffffffffffffff0f", "ffffffffffffffff0f", "00fffffe");

  it("fails before it has taken more memory than the input justifies", () => {
    let most = 0;
    const inputs = anyCoder.chain(({ coder, values }) => fc.tuple(fc.constant(coder), values, fc.nat(), huge, fc.boolean()));
    fc.assert(
      fc.property(inputs, ([coder, value, at, count, nested]) => {
        const valid = encode(coder, value, nested);
        const position = at % (valid.length + 1);
        const bytes = Buffer.concat([valid.subarray(0, position), Buffer.from(count, "hex"), valid.subarray(position)]);
        most = Math.max(most, memoryOf(coder, bytes, nested), memoryOf(iterableCoder(coder), bytes, nested));
      }),
      { numRuns: 150 },
    );
    assert.ok(most < 64e6, `${most} bytes`);
  });
});

/** Growth of memory by decoding, whether it succeeds or not. */
function memoryOf(coder: Coder<unknown>, bytes: Uint8Array, nested: boolean): number {
  const used = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  try {
    coder.decode(new ByteReader(bytes), nested);
  } catch (error) {
    if (!(error instanceof CoderError)) throw error;
  }
  return used() - before;
}
