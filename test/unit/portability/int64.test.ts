import assert from "node:assert/strict";
import fc from "fast-check";
import { beam, fromInt64, toInt64 } from "../../../portability/protos/index.js";

describe("64-bit integers of messages", () => {
  it("come back exactly from a message, for every signed 64-bit integer", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = beam.pipeline.WindowingStrategy.encode({ allowedLateness: toInt64(value) }).finish();
        assert.equal(fromInt64(beam.pipeline.WindowingStrategy.decode(bytes).allowedLateness), value);
      }),
    );
  });

  for (const value of [2n ** 31n, 2n ** 32n + 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), -1n, 0n])
    it(`keeps ${value}`, () => assert.equal(fromInt64(toInt64(value)), value));

  it("refuses what is no 64-bit integer", () => {
    assert.throws(() => toInt64(2n ** 63n), RangeError);
    assert.throws(() => toInt64(2 ** 53), RangeError);
    assert.throws(() => toInt64(0.5), RangeError);
  });
});
