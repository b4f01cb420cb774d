// The laws of coders, for any coder over any components.
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { ByteReader, ByteWriter, CoderError, ValueCoder, type Coder } from "../../../portability/coders/index.js";
import { decode, encode } from "../../support/coding.js";
import { plainValues, samples } from "./any-coder.js";

const RUNS = { numRuns: 15000 };

describe("any coder", () => {
  it("decodes what it has encoded, in either context", () => {
    fc.assert(
      fc.property(samples, ({ coder, values, nested }) => {
        for (const value of values) assert.deepEqual(decode(coder, encode(coder, value, nested), nested), value);
      }),
      RUNS,
    );
  });

  it("delimits nested values, so that they can follow each other", () => {
    fc.assert(
      fc.property(samples, ({ coder, values }) => {
        const reader = new ByteReader(Buffer.concat(values.map((value) => encode(coder, value, true))));
        for (const value of values) assert.deepEqual(coder.decode(reader, true), value);
        assert.equal(reader.remaining, 0);
      }),
      RUNS,
    );
  });

  it("writes the same bytes behind others, and again from what it has read", () => {
    fc.assert(
      fc.property(samples, ({ coder, values, nested }) => {
        const [value] = values;
        const bytes = encode(coder, value, nested);
        const writer = new ByteWriter(1);
        writer.writeByte(7);
        coder.encode(value, writer, nested);
        assert.deepEqual(Buffer.from(writer.toBytes(1)), bytes);
        if (coder.deterministic) assert.deepEqual(encode(coder, decode(coder, bytes, nested), nested), bytes);
      }),
      RUNS,
    );
  });

  it("gives a value or a CoderError for bytes that are cut off", () => {
    fc.assert(
      fc.property(samples, ({ coder, values, nested }) => {
        const bytes = encode(coder, values[0], nested);
        for (let length = 0; length < bytes.length && length < 60; length++) valueOrCoderError(coder, bytes.subarray(0, length), nested);
      }),
      { numRuns: 15000 },
    );
  });

  it("gives a value or a CoderError for bytes that are wrong", () => {
    const wrongBytes = fc.array(fc.tuple(fc.nat(200), fc.oneof(fc.constantFrom(0xff, 0x7f, 0x80, 0), fc.nat(255))), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(samples, wrongBytes, ({ coder, values, nested }, changes) => {
        const bytes = encode(coder, values[0], nested);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        valueOrCoderError(coder, bytes, nested);
      }),
      RUNS,
    );
  });

  it("gives a value or a CoderError for any bytes", () => {
    fc.assert(
      fc.property(samples, fc.uint8Array({ maxLength: 60 }), ({ coder, nested }, bytes) => valueOrCoderError(coder, bytes, nested)),
      RUNS,
    );
  });
});

describe("the coder of plain values", () => {
  const coder = new ValueCoder();
  const numbers = fc.oneof(
    fc.constantFrom(0, -0, 1, -1, 63, 64, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53, NaN, Infinity, 0.5),
    fc.constantFrom(0n, 1n, -1n, 2n ** 64n, -(2n ** 64n)),
    fc.constantFrom("", "0", "1", "NaN", true, false, null, undefined, new Date(0), new Date(1)),
  );

  it("gives equal values equal bytes, and different ones different bytes", () => {
    const pairs = fc.oneof(
      fc.tuple(plainValues, plainValues),
      plainValues.map((value) => [value, canonical(value)] as const),
      fc.tuple(numbers, numbers),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        assert.equal(encode(coder, a).equals(encode(coder, b)), isDeepStrictEqual(canonical(a), canonical(b)));
      }),
      { numRuns: 15000 },
    );
  });

  it("does not see the order of properties, entries and members", () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 6 }), plainValues), { selector: ([name]) => name, maxLength: 6 });
    fc.assert(
      fc.property(entries, (list) => {
        const reversed = [...list].reverse();
        const same = (a: unknown, b: unknown): void => assert.deepEqual(encode(coder, a), encode(coder, b));
        same(Object.fromEntries(list), Object.fromEntries(reversed));
        same(new Map(list), new Map(reversed));
        same(new Set(list.map(([name]) => name)), new Set(reversed.map(([name]) => name)));
      }),
      RUNS,
    );
  });
});

/** The value as it is read: without holes, and with NaN and −0 as they are. */
function canonical(value: unknown): unknown {
  return decode(new ValueCoder(), encode(new ValueCoder(), value));
}

/** Any outcome but another error; nor may it read beyond the end. */
function valueOrCoderError(coder: Coder<unknown>, bytes: Uint8Array, nested: boolean): void {
  const reader = new ByteReader(bytes);
  try {
    coder.decode(reader, nested);
    assert.ok(reader.offset <= bytes.length);
  } catch (error) {
    if (!(error instanceof CoderError)) throw error;
    assert.equal(typeof error.offset, "number");
  }
}
