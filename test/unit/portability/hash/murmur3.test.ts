import assert from "node:assert/strict";
import { murmur3Bytes, murmur3Chars, NOT_NARROW } from "../../../../portability/hash/murmur3.js";

describe("murmur3", () => {
  // Published test vectors of MurmurHash3_x86_32 with seed 0.
  for (const [text, hash] of [
    ["", 0],
    ["test", 0xba6bd213],
    ["Hello, world!", 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ] as const)
    it(`hashes ${JSON.stringify(text)} as published`, () => {
      assert.equal(murmur3Bytes(Buffer.from(text)), hash);
      assert.equal(murmur3Chars(text, 0x7f), hash);
    });

  it("hashes characters like the bytes they stand for", () => {
    for (let length = 0; length < 20; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 97 + length) & 0xff));
      assert.equal(murmur3Chars(bytes.toString("latin1"), 0xff), murmur3Bytes(bytes));
    }
  });

  it("leaves strings with wider characters alone", () => {
    assert.equal(murmur3Chars("schön", 0x7f), NOT_NARROW);
    assert.equal(murmur3Chars("abc\u0100", 0xff), NOT_NARROW);
  });

  it("hashes with a seed as published", () => {
    assert.equal(murmur3Bytes(Buffer.from("test"), 0x9747b28c), 0x704b81dc);
    assert.equal(murmur3Bytes(Buffer.from("Hello, world!"), 0x9747b28c), 0x24884cba);
  });
});
