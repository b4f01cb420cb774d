// The coder of plain JavaScript values: what it keeps, what is equal, what it refuses.
import assert from "node:assert/strict";
import { ByteReader, CoderError, ValueCoder } from "../../../../portability/coders/index.js";
import { assertUndecodable, assertUnencodable, decode, encode, fromHex, hexOf } from "../../../support/coding.js";

const coder = new ValueCoder();
const back = (value: unknown): unknown => decode(coder, encode(coder, value));
const same = (a: unknown, b: unknown): void => assert.equal(hexOf(coder, a), hexOf(coder, b));
const different = (a: unknown, b: unknown): void => assert.notEqual(hexOf(coder, a), hexOf(coder, b));

class Point {
  constructor(readonly x: number) {}
}

describe("the coder of plain values", () => {
  context("keeps", () => {
    const values: [string, unknown][] = [
      ["null", null],
      ["undefined", undefined],
      ["true", true],
      ["false", false],
      ["0", 0],
      ["-0", -0],
      ["63 and 64", [63, 64]],
      ["-1", -1],
      [
        "integers around powers of two",
        [127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53, -(2 ** 31), 1 - 2 ** 53],
      ],
      ["fractions", [0.1, -1.5, Number.MIN_VALUE, Number.MAX_VALUE, 1e21]],
      ["NaN and the infinities", [NaN, Infinity, -Infinity]],
      ["bigints", [0n, 1n, -1n, 255n, 256n, -256n, 2n ** 63n, -(2n ** 64n), 10n ** 100n]],
      ["short and long text", ["", "a", "a".repeat(127), "a".repeat(128), "é".repeat(63), "é".repeat(64), "\u{1f600}".repeat(40)]],
      ["lone surrogates", ["\ud800", "a\udfffb", "\udc00\ud800".repeat(50)]],
      ["dates", [new Date(0), new Date(-1), new Date(8.64e15)]],
      ["bytes", [Uint8Array.of(), Uint8Array.of(0, 255), new Uint8Array(1000).fill(7)]],
      ["arrays", [[], [1], [[[]]], Array.from({ length: 1000 }, (_, i) => i)]],
      ["objects", [{}, { a: 1 }, { b: { c: { d: [] } } }, { "": 1, " ": 2, é: 3 }]],
      ["objects with names that mean something elsewhere", { constructor: 1, toString: 2, hasOwnProperty: 3, length: 4 }],
      ["objects with names of lone surrogates", { "\ud800": 1, a: 2, "\udc00": 3 }],
      ["undefined properties", { a: undefined }],
      [
        "maps",
        [
          new Map(),
          new Map<unknown, unknown>([
            ["a", 1],
            [{ k: 1 }, new Map([[1, 2]])],
          ]),
        ],
      ],
      ["sets", [new Set(), new Set([1, "1", [1]])]],
    ];
    for (const [name, value] of values) it(name, () => assert.deepEqual(back(value), value));

    it("invalid dates", () => {
      assert.ok(Number.isNaN((back(new Date(NaN)) as Date).getTime()));
    });

    it("a property called __proto__, as one", () => {
      const value = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as object;
      const found = back(value) as object;
      assert.equal(Object.getPrototypeOf(found), Object.prototype);
      assert.deepEqual(Object.keys(found).sort(), ["__proto__", "a"]);
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    });

    it("objects without prototype, as plain ones; Buffers, as Uint8Array; holes, as undefined", () => {
      assert.deepEqual(back(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
      assert.deepEqual(back(Buffer.from("ab")), Uint8Array.of(97, 98));
      const holes = [1];
      holes[2] = 3;
      assert.deepEqual(back(holes), [1, undefined, 3]);
    });

    it("nesting of 200", () => {
      const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);
      assert.deepEqual(back(nested(199)), nested(199));
      assertUnencodable(coder, nested(200), /nested more than 200 deep/);
    });
  });

  context("gives equal values equal bytes:", () => {
    it("the order of properties does not count", () => {
      same({ a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 });
      same({ 2: "x", 10: "y", a: "z" }, { a: "z", 10: "y", 2: "x" });
    });

    it("the order of entries and members does not count, nested neither", () => {
      same(
        new Map([
          ["a", 1],
          ["b", 2],
        ]),
        new Map([
          ["b", 2],
          ["a", 1],
        ]),
      );
      same(new Set([3, 1, 2]), new Set([1, 2, 3]));
      same(new Set([new Set([1, 2]), new Map([[1, 2]])]), new Set([new Map([[1, 2]]), new Set([2, 1])]));
      same(
        new Map([
          [{ a: 1, b: 2 }, 1],
          [{ a: 2 }, 2],
        ] as [object, number][]),
        new Map([
          [{ a: 2 }, 2],
          [{ b: 2, a: 1 }, 1],
        ] as [object, number][]),
      );
    });

    it("1 is 1.0, and every NaN the same", () => {
      same(1, Number("1.0"));
      same(NaN, Buffer.from("fff8000000000001", "hex").readDoubleBE());
      same(new Date(NaN), new Date("no date"));
    });

    it("a value is the same bytes wherever it stands", () => {
      for (const value of ["k", 5, { a: [1] }, new Map([[1, 2]])]) {
        const alone = hexOf(coder, value);
        assert.equal(hexOf(coder, value, false), alone);
        assert.ok(hexOf(coder, [value]).endsWith(alone));
      }
    });
  });

  it("gives different values different bytes", () => {
    const values: unknown[] = [
      ...[0, -0, 1, -1, 2 ** 32 + 1, 2 ** 32, 1.5, NaN, Infinity, -Infinity],
      ...[0n, 1n, -1n, 2n ** 32n + 1n],
      ...["", "0", "1", "NaN", "null", "\ud800", "\ufffd", "\udfff"],
      ...[null, undefined, true, false, new Date(0), new Date(1), new Date(NaN)],
      ...[[], [[]], [null], [undefined], [0], [0, 0], ["ab"], ["a", "b"]],
      ...[{}, { a: undefined }, { a: null }, { a: 1 }, { b: 1 }, { "\ud800": 1 }, { "\ufffd": 1 }],
      ...[new Map(), new Map([[1, 2]]), new Map([[2, 1]]), new Set(), new Set([1]), new Set([1, 2])],
      ...[Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 0)],
    ];
    for (let i = 0; i < values.length; i++) for (let j = 0; j < i; j++) different(values[i], values[j]);
    assert.equal(values.length, new Set(values.map((value) => hexOf(coder, value))).size);
  });

  it("has the bytes that its first version had", () => {
    assert.equal(
      hexOf(coder, [null, undefined, false, true, -0, NaN, 63, 64, -1, 0.5]),
      "0e0a" + "000102030405" + "7f" + "0640" + "0700" + "083fe0000000000000",
    );
    assert.equal(hexOf(coder, { b: "x", a: 1n }), "0f02" + "0161" + "09000101" + "0162" + "8178");
    assert.equal(
      hexOf(coder, [new Map([[1, 2]]), new Set([1]), new Date(0), Uint8Array.of(9), "\ud800"]),
      "0e05" + "11014142" + "120141" + "0c0000000000000000" + "0d0109" + "0b0200d8",
    );
  });

  context("refuses", () => {
    it("instances of classes, by name", () => {
      assertUnencodable(coder, new Point(1), /an instance of class Point cannot be encoded; emit plain objects/);
      assertUnencodable(coder, { deep: [new Point(1)] }, /class Point/);
      for (const value of [/x/, new Error("e"), new WeakMap(), Promise.resolve(), new Uint16Array(1), new ArrayBuffer(1), new URL("a:b")])
        assertUnencodable(coder, value, new RegExp(`an instance of class ${value.constructor.name}`));
    });

    it("functions and symbols", () => {
      assertUnencodable(coder, () => 1, /a function cannot be encoded/);
      assertUnencodable(coder, { f() {} }, /a function cannot be encoded/);
      assertUnencodable(coder, Symbol("s"), /a symbol cannot be encoded/);
    });

    it("values that contain themselves", () => {
      const cyclic: unknown[] = [];
      cyclic.push({ cyclic });
      assertUnencodable(coder, cyclic, /nested more than 200 deep, or contains itself/);
      const map = new Map<string, unknown>();
      map.set("self", map);
      assertUnencodable(coder, map, /contains itself/);
    });

    it("bigints beyond all measure", () => {
      assertUnencodable(coder, 1n << (8n * (1n << 20n)), /is too large to be encoded/);
    });
  });

  context("of bytes that are wrong, says where:", () => {
    const hostile: [string, string | Uint8Array, RegExp][] = [
      ["nothing", "", /unexpected end of input \(at byte 0\)/],
      ["an unknown tag", "3f", /tag 63 of a value is not known/],
      ["deep arrays", Buffer.alloc(100_000, fromHex("0e01")), /nested more than 200 deep/],
      ["deep objects", Buffer.alloc(100_000, fromHex("0f0100")), /nested more than 200 deep/],
      ["deep maps", Buffer.alloc(100_000, fromHex("1101")), /nested more than 200 deep/],
      ["deep sets", Buffer.alloc(100_000, fromHex("1201")), /nested more than 200 deep/],
      ["a count of an array", "0e ff ff ff ff 07 41", /length 2147483647 is beyond the end/],
      ["a count of an object", "0f ff ff ff ff 07 00 41", /beyond the end/],
      ["a count of a map", "11 ff ff ff ff 07", /beyond the end/],
      ["a length of a string", "0a 7f 61", /length 127 is beyond the end/],
      ["a short string", "85 61", /5 bytes needed, 1 left/],
      ["a length of bytes", "0d ff ff ff ff ff ff ff ff ff 01", /length -1 is beyond the end/],
      ["an odd UTF-16 string", "0b 03 616263", /a UTF-16 string of 3 bytes/],
      ["the sign of a bigint", "09 02 01 01", /expected 0 or 1 for the sign/],
      ["a bigint beyond all measure", Buffer.concat([fromHex("0900 8180 40"), Buffer.alloc((1 << 20) + 1)]), /a bigint of 1048577 bytes/],
      ["an integer beyond the safe ones", "06 ff ff ff ff ff ff ff ff 7f", /beyond what a number holds/],
    ];
    for (const [name, bytes, message] of hostile) it(name, () => assertUndecodable(coder, bytes, message));

    it("every prefix of a value with everything in it", () => {
      const value = { a: [1, -1, 0.5, 2n ** 70n, "é\ud800", new Date(0)], m: new Map([["k", new Set([Uint8Array.of(1)])]]) };
      const bytes = encode(coder, value);
      for (let length = 0; length < bytes.length; length++)
        assert.throws(
          () => coder.decode(new ByteReader(bytes.subarray(0, length))),
          (error) => error instanceof CoderError && typeof error.offset === "number" && error.offset <= length,
        );
    });
  });
});
