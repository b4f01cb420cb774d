// Integers, floating point and instants at their limits.
import assert from "node:assert/strict";
import { boolCoder, ByteReader, ByteWriter, doubleCoder, varintBigIntCoder, varintCoder } from "../../../../portability/coders/index.js";
import { GLOBAL_WINDOW_MAX_TIMESTAMP, MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../../../portability/values/index.js";
import { assertCoding, assertUndecodable, assertUnencodable, decode, encode, fromHex, hexOf } from "../../../support/coding.js";

describe("varint coders", () => {
  const exact: [number, string][] = [
    [0, "00"],
    [1, "01"],
    [127, "7f"],
    [128, "80 01"],
    [300, "ac 02"],
    [16383, "ff 7f"],
    [16384, "80 80 01"],
    [2 ** 31 - 1, "ff ff ff ff 07"],
    [2 ** 31, "80 80 80 80 08"],
    [2 ** 32 - 1, "ff ff ff ff 0f"],
    [2 ** 32, "80 80 80 80 10"],
    [2 ** 32 + 1, "81 80 80 80 10"],
    [2 ** 49 - 1, "ff ff ff ff ff ff 7f"],
    [2 ** 49, "80 80 80 80 80 80 80 01"],
    [2 ** 53 - 1, "ff ff ff ff ff ff ff 0f"],
    [-1, "ff ff ff ff ff ff ff ff ff 01"],
    [-128, "80 ff ff ff ff ff ff ff ff 01"],
    [-(2 ** 31), "80 80 80 80 f8 ff ff ff ff 01"],
    [-(2 ** 32) - 1, "ff ff ff ff ef ff ff ff ff 01"],
    [1 - 2 ** 53, "81 80 80 80 80 80 80 f0 ff 01"],
  ];
  for (const [value, hex] of exact)
    it(`${value} is ${hex}, as a number and as a bigint`, () => {
      assertCoding(varintCoder, value, hex);
      assertCoding(varintBigIntCoder, BigInt(value), hex);
    });

  const big: [bigint, string][] = [
    [2n ** 53n, "80 80 80 80 80 80 80 10"],
    [2n ** 53n + 1n, "81 80 80 80 80 80 80 10"],
    [-(2n ** 53n), "80 80 80 80 80 80 80 f0 ff 01"],
    [-(2n ** 53n) - 1n, "ff ff ff ff ff ff ff ef ff 01"],
    [2n ** 63n - 1n, "ff ff ff ff ff ff ff ff 7f"],
    [-(2n ** 63n), "80 80 80 80 80 80 80 80 80 01"],
  ];
  for (const [value, hex] of big)
    it(`${value} is ${hex} as a bigint, and refused as a number`, () => {
      assertCoding(varintBigIntCoder, value, hex);
      assertUndecodable(varintCoder, hex, new RegExp(`integer ${value} is beyond what a number holds`));
      assertUnencodable(varintCoder, Number(value), /expected a safe integer/);
    });

  it("never write a number that is not an integer, nor a bigint of more than 64 bits", () => {
    for (const value of [0.5, NaN, Infinity, "1", 1n, null, undefined, {}])
      assertUnencodable(varintCoder, value, /expected a safe integer/);
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) assertUnencodable(varintBigIntCoder, value, /not a signed 64-bit integer/);
    assertUnencodable(varintBigIntCoder, 1, /expected a bigint/);
  });

  it("write −0 as 0", () => {
    assert.equal(hexOf(varintCoder, -0), "00");
  });

  it("read needlessly long varints of up to ten bytes", () => {
    assert.equal(decode(varintCoder, "81 80 80 80 80 80 80 80 80 00"), 1);
    assert.equal(decode(varintBigIntCoder, "81 80 80 80 80 80 80 80 80 00"), 1n);
  });

  it("refuse eleven bytes, more than 64 bits, and what is cut off", () => {
    for (const coder of [varintCoder, varintBigIntCoder]) {
      assertUndecodable(coder, "81 80 80 80 80 80 80 80 80 80 00", /a varint of more than/);
      assertUndecodable(coder, "ff ff ff ff ff ff ff ff ff 02", /more than 64 bits/);
      for (let bytes = 0; bytes < 10; bytes++) assertUndecodable(coder, new Uint8Array(bytes).fill(0xff), /unexpected end of input/);
    }
  });
});

describe("double coder", () => {
  const values: [number, string][] = [
    [0, "0000000000000000"],
    [-0, "8000000000000000"],
    [1, "3ff0000000000000"],
    [0.1, "3fb999999999999a"],
    [Infinity, "7ff0000000000000"],
    [-Infinity, "fff0000000000000"],
    [Number.MIN_VALUE, "0000000000000001"],
    [Number.MAX_VALUE, "7fefffffffffffff"],
    [NaN, "7ff8000000000000"],
  ];
  for (const [value, hex] of values) it(`${Object.is(value, -0) ? "-0" : value} is ${hex}`, () => assertCoding(doubleCoder, value, hex));

  it("reads every NaN as NaN, whatever its payload and sign", () => {
    for (const hex of ["7ff8000000000001", "fff8000000000000", "7ff0000000000001", "ffffffffffffffff"])
      assert.ok(Number.isNaN(decode(doubleCoder, hex)));
  });

  it("is not for keys", () => {
    assert.equal(doubleCoder.deterministic, false);
  });

  it("refuses what is no number, and what is cut off", () => {
    for (const value of ["1", 1n, null]) assertUnencodable(doubleCoder, value, /expected a number/);
    assertUndecodable(doubleCoder, "3ff00000000000", /8 bytes needed, 7 left/);
  });
});

describe("bool coder", () => {
  it("is one byte, and refuses others than 0 and 1", () => {
    assertCoding(boolCoder, false, "00");
    assertCoding(boolCoder, true, "01");
    assertUndecodable(boolCoder, "02", /expected 0 or 1 for a boolean, got 2/);
    for (const value of [0, 1, "true", null]) assertUnencodable(boolCoder, value, /expected a boolean/);
  });
});

describe("instants", () => {
  const bytesOf = (timestamp: number): string => {
    const writer = new ByteWriter();
    writer.writeInstant(timestamp);
    return Buffer.from(writer.toBytes()).toString("hex");
  };
  const instants: [string, number, string][] = [
    ["0", 0, "8000000000000000"],
    ["1", 1, "8000000000000001"],
    ["-1", -1, "7fffffffffffffff"],
    ["2^32", 2 ** 32, "8000000100000000"],
    ["-2^32", -(2 ** 32), "7fffffff00000000"],
    ["-2^32 - 1", -(2 ** 32) - 1, "7ffffffeffffffff"],
    ["a time of today", 1790000000000, "800001a0c4506c00"],
    ["the least", MIN_TIMESTAMP, "7fdf3b645a1cac09"],
    ["the greatest", MAX_TIMESTAMP, "8020c49ba5e353f7"],
    ["the end of the global window", GLOBAL_WINDOW_MAX_TIMESTAMP, "8020c49ba0bcf7f7"],
    ["2^53 - 1", 2 ** 53 - 1, "801fffffffffffff"],
    ["-2^53 + 1", 1 - 2 ** 53, "7fe0000000000001"],
  ];
  for (const [name, timestamp, hex] of instants)
    it(`${name} is ${hex}`, () => {
      assert.equal(bytesOf(timestamp), hex);
      assert.equal(new ByteReader(fromHex(hex)).readInstant(), timestamp);
    });

  it("cut fractions, and take what is out of range as its ends", () => {
    assert.equal(bytesOf(1.9), bytesOf(1));
    assert.equal(bytesOf(-1.9), bytesOf(-1));
    assert.equal(bytesOf(Infinity), bytesOf(MAX_TIMESTAMP));
    assert.equal(bytesOf(-1e300), bytesOf(MIN_TIMESTAMP));
    assert.throws(() => bytesOf(NaN), /NaN is not a timestamp/);
  });

  it("tell the special ones apart, and are read in order", () => {
    assert.ok(GLOBAL_WINDOW_MAX_TIMESTAMP < MAX_TIMESTAMP);
    const sorted = [...instants].sort(([, a], [, b]) => a - b).map(([, , hex]) => hex);
    assert.deepEqual(sorted, [...sorted].sort());
  });
});

describe("bytes of integers in a reader", () => {
  it("give back what a writer wrote", () => {
    const writer = new ByteWriter(1);
    writer.writeInt16(-2);
    writer.writeInt32(-3);
    writer.writeInt64(-(2n ** 63n));
    writer.writeFloat(1.5);
    writer.writeDouble(-0);
    const reader = new ByteReader(writer.toBytes());
    assert.deepEqual(
      [reader.readInt16(), reader.readInt32(), reader.readInt64(), reader.readFloat(), reader.readDouble()],
      [-2, -3, -(2n ** 63n), 1.5, -0],
    );
    assert.equal(reader.remaining, 0);
    assert.equal(encode(varintCoder, 5).length, 1);
  });
});
