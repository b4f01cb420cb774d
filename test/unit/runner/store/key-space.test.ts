import assert from "node:assert/strict";
import {
  doubleCoder,
  kvCoder,
  utf8Coder,
  ValueCoder,
  varintBigIntCoder,
  varintCoder,
  type Coder,
} from "../../../../portability/coders/index.js";
import { kv } from "../../../../portability/values/index.js";
import { murmur3Bytes } from "../../../../portability/hash/murmur3.js";
import { keySpaceOf } from "../../../../runner/store/index.js";

const spaceOf = (coder: unknown) => keySpaceOf(coder as Coder<unknown>);

describe("keySpaceOf", () => {
  for (const [name, coder, keys] of [
    ["strings", utf8Coder, ["", "a", "schön", "\u{1f600}", "\u0000"]],
    ["integers", varintCoder, [0, 1, -1, 2 ** 40]],
    ["doubles", doubleCoder, [0, -0, 1.5, NaN, Infinity]],
    ["any values", new ValueCoder(), ["a", 1, "1", -0, 0, NaN, true, null, undefined, 5n, "\ud800", "\ud800a", [1, "x"], { a: { b: 1 } }]],
    ["pairs", kvCoder(utf8Coder, varintCoder), [kv("a", 1), kv("a", 2), kv("b", 1)]],
  ] as const)
    it(`tells different ${name} apart and gives each back`, () => {
      const space = spaceOf(coder);
      const ids = keys.map((key) => space.identify(key));
      assert.equal(new Set(ids).size, keys.length);
      ids.forEach((id, i) => assert.deepEqual(space.restore(id), keys[i]));
    });

  it("takes keys with equal bytes for the same key", () => {
    const values = spaceOf(new ValueCoder());
    assert.equal(values.identify({ a: 1, b: 2 }), values.identify({ b: 2, a: 1 }));
    const strings = spaceOf(utf8Coder);
    assert.equal(strings.identify("a\ud800"), strings.identify("a\ufffd"));
  });

  it("hashes strings by their UTF-8 bytes", () => {
    const strings = spaceOf(utf8Coder);
    for (const key of ["", "ascii", "schön", "日本"]) assert.equal(strings.hash(strings.identify(key)), murmur3Bytes(Buffer.from(key)));
  });

  it("hashes every key that it identifies", () => {
    const values = spaceOf(new ValueCoder());
    for (const key of ["a", "ä", 1, -0, true, null, 5n, "\ud800", [1]]) {
      const hash = values.hash(values.identify(key));
      assert.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32);
    }
  });

  it("spreads numbers over key groups, whatever they have in common", () => {
    for (const [name, numberOf] of Object.entries({
      "small integers": (i: number) => i,
      "multiples of a power of two": (i: number) => i * 1024,
      "beyond 32 bits": (i: number) => i * 2 ** 32,
      fractions: (i: number) => i / 1000,
      negative: (i: number) => -1 - i,
    }))
      for (const space of [spaceOf(new ValueCoder()), spaceOf(doubleCoder)]) {
        const sizes = new Array<number>(128).fill(0);
        for (let i = 0; i < 12_800; i++) sizes[space.hash(space.identify(numberOf(i))) % 128]++;
        assert.ok(Math.min(...sizes) > 50 && Math.max(...sizes) < 160, `${name}: from ${Math.min(...sizes)} to ${Math.max(...sizes)}`);
      }
  });

  it("hashes integers of 64 bits, and small ones like the numbers that are written alike", () => {
    const space = spaceOf(varintBigIntCoder);
    for (const key of [0, 1, -1, 2 ** 40]) assert.equal(space.hash(space.identify(BigInt(key))), spaceOf(varintCoder).hash(key));
    const large = Array.from({ length: 1000 }, (_, i) => space.hash(space.identify(2n ** 62n + BigInt(i))));
    assert.equal(new Set(large).size, large.length);
  });

  it("refuses a key that its coder cannot write", () => {
    assert.throws(() => spaceOf(utf8Coder).identify(5), /expected a string/);
  });
});
