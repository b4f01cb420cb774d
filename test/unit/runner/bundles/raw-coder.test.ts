import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, ByteWriter, CoderError, CoderRegistry, type Coder, type CoderProto } from "../../../../portability/coders/index.js";
import { kv } from "../../../../portability/values/index.js";
import { rawCoder } from "../../../../runner/bundles/raw-coder.js";
import { bytesOfRaw, SHORT_VALUE, type RawValue } from "../../../../runner/bundles/raw-value.js";

const coder = (name: string, ...componentCoderIds: string[]): CoderProto => ({ spec: { urn: `beam:coder:${name}:v1` }, componentCoderIds });
const CODERS: Readonly<Record<string, CoderProto>> = {
  bytes: coder("bytes"),
  string: coder("string_utf8"),
  varint: coder("varint"),
  double: coder("double"),
  bool: coder("bool"),
  window: coder("interval_window"),
  unknown: { spec: { urn: "x:coder:pickled:v1" } },
  prefixed: coder("length_prefix", "bytes"),
  opaque: coder("length_prefix", "unknown"),
  strings: coder("iterable", "string"),
  maybe: coder("nullable", "strings"),
  pair: coder("kv", "string", "varint"),
  pairs: coder("kv", "pair", "maybe"),
  grouped: coder("kv", "string", "strings"),
  windowed: coder("windowed_value", "pair", "window"),
};
const registry = new CoderRegistry({ bigIntVarints: true });
const real = (id: string): Coder<unknown> => registry.fromProto(id, CODERS);

function encode(id: string, values: readonly unknown[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) real(id).encode(value, writer, true);
  return writer.toBytes();
}

const anyPair = fc.record({ key: fc.string(), value: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) });
const anyStrings = fc.array(fc.string({ maxLength: 200 }));
const VALUES: Record<string, fc.Arbitrary<unknown>> = {
  bytes: fc.uint8Array(),
  string: fc.string({ maxLength: 300 }),
  varint: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  double: fc.double(),
  bool: fc.boolean(),
  prefixed: fc.uint8Array(),
  strings: anyStrings,
  maybe: fc.option(anyStrings),
  pair: anyPair,
  pairs: fc.record({ key: anyPair, value: fc.option(anyStrings) }),
};

describe("rawCoder", () => {
  for (const [id, values] of Object.entries(VALUES))
    it(`cuts values of ${id} where they end, and writes them back as they were`, () => {
      fc.assert(
        fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (elements) => {
          const bytes = encode(id, elements);
          const raw = rawCoder(id, CODERS);
          const reader = new ByteReader(bytes);
          const writer = new ByteWriter();
          let count = 0;
          for (; reader.remaining > 0; count++) raw.encode(raw.decode(reader, true), writer, true);
          assert.deepEqual([count, writer.toBytes()], [elements.length, bytes]);
        }),
      );
    });

  it("gives pairs as pairs of bytes", () => {
    const reader = new ByteReader(encode("pair", [kv("a", 300n)]));
    assert.deepEqual(rawCoder("pair", CODERS).decode(reader, true), kv("\u0001a", "\u00ac\u0002"));
  });

  it("has short values as strings, which keep nothing else in memory, and the bytes of long ones", () => {
    const raw = rawCoder("bytes", CODERS);
    const decode = (...lengths: number[]): unknown[] => {
      const reader = new ByteReader(encode("bytes", lengths.map((length) => new Uint8Array(length)))); // prettier-ignore
      return lengths.map(() => raw.decode(reader, true));
    };
    const [short, long] = decode(SHORT_VALUE - 2, SHORT_VALUE);
    assert.equal((short as string).length, SHORT_VALUE);
    assert.ok(typeof short === "string" && long instanceof Uint8Array);
    const [alone, one, another] = [...decode(1 << 16), ...decode(1 << 16, 1 << 16, 1 << 16)] as Uint8Array[];
    assert.ok(alone.buffer.byteLength < 2 * alone.length && one.buffer !== another.buffer);
  });

  it("writes what a grouping has made as an iterable", () => {
    const writer = new ByteWriter();
    rawCoder("grouped", CODERS).encode(kv(encode("string", ["k"]), [encode("string", ["a"]), encode("string", ["bc"])]), writer, true);
    assert.deepEqual(writer.toBytes(), encode("grouped", [kv("k", ["a", "bc"])]));
  });

  it("skips iterables that come in chunks", () => {
    const bytes = new Uint8Array([255, 255, 255, 255, 2, 1, 97, 1, 98, 1, 1, 99, 0, 42]);
    const reader = new ByteReader(bytes);
    assert.deepEqual(new Uint8Array(bytesOfRaw(rawCoder("strings", CODERS).decode(reader, true) as RawValue)), bytes.slice(0, -1));
  });

  it("fails where the bytes end too early", () => {
    for (const id of ["string", "varint", "double", "pair", "strings"]) {
      const bytes = encode(id, [{ string: "abc", varint: 300n, double: 1, pair: kv("a", 300n), strings: ["abc"] }[id]]);
      for (let end = 0; end < bytes.length; end++)
        assert.throws(() => rawCoder(id, CODERS).decode(new ByteReader(bytes, 0, end), true), CoderError);
    }
  });

  it("knows nothing of what is behind a length, and refuses what is unknown without one", () => {
    const raw = rawCoder("opaque", CODERS);
    assert.equal(raw.decode(new ByteReader(new Uint8Array([2, 9, 9, 7])), true), "\u0002\t\t");
    assert.throws(() => rawCoder("unknown", CODERS), /x:coder:pickled:v1/);
  });
});
