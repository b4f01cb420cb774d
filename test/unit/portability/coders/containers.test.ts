// Text, bytes and what holds other values: contexts, counts that are not trusted, and input that is cut off.
import assert from "node:assert/strict";
import {
  ByteReader,
  ByteWriter,
  bytesCoder,
  CoderError,
  doubleCoder,
  globalWindowCoder,
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  nullableCoder,
  shardedKeyCoder,
  stateBackedIterableCoder,
  utf8Coder,
  varintCoder,
  type Coder,
} from "../../../../portability/coders/index.js";
import { GlobalWindow, kv } from "../../../../portability/values/index.js";
import { assertCoding, assertUndecodable, assertUnencodable, decode, encode, fromHex, hexOf } from "../../../support/coding.js";

describe("string coder", () => {
  it("has a length in bytes where it is nested", () => {
    assert.equal(hexOf(utf8Coder, "né", true), "036ec3a9");
    assert.equal(hexOf(utf8Coder, "né", false), "6ec3a9");
    assert.equal(hexOf(utf8Coder, "", true), "00");
    assert.equal(hexOf(utf8Coder, "", false), "");
  });

  it("keeps text of every length around which the layout or the way of writing changes", () => {
    for (const unit of ["a", "é", "€", "\u{1f600}"])
      for (const length of [0, 1, 23, 24, 25, 31, 32, 33, 42, 43, 63, 64, 127, 128, 129, 5461, 5462, 16383, 16384, 16385])
        for (const nested of [true, false]) {
          const text = unit.repeat(length);
          const bytes = encode(utf8Coder, text, nested);
          assert.equal(decode(utf8Coder, bytes, nested), text);
          if (!nested) assert.deepEqual(bytes, Buffer.from(text));
          if (unit !== "a") assert.equal(decode(utf8Coder, encode(utf8Coder, `a${text}b`, nested), nested), `a${text}b`);
        }
  });

  it("writes lone surrogates as U+FFFD, as other SDKs do", () => {
    assert.equal(hexOf(utf8Coder, "a\ud800b", false), "61efbfbd62");
    assert.equal(hexOf(utf8Coder, "\udc00".repeat(30), false), "efbfbd".repeat(30));
  });

  it("reads invalid UTF-8 as U+FFFD, short and long", () => {
    assert.equal(decode(utf8Coder, "61 ff 62", false), "a\ufffdb");
    assert.equal(decode(utf8Coder, "02 c3 28"), "\ufffd(");
    assert.equal(decode(utf8Coder, "01 c3"), "\ufffd");
    assert.equal(decode(utf8Coder, "03 eda080"), "\ufffd\ufffd\ufffd");
    assert.equal(decode(utf8Coder, Buffer.alloc(100, 0xff), false), "\ufffd".repeat(100));
  });

  it("reads strings that share a prefix, a length or a hash as they are", () => {
    const words = ["Aa", "BB", "AaAa", "BBBB", "AaBB", "BBAa", "a", "b", "ab", "ba", "", "\0", "\0\0"];
    for (let round = 0; round < 3; round++) for (const word of words) assert.equal(decode(utf8Coder, encode(utf8Coder, word)), word);
  });

  it("refuses what is no string, and lengths beyond the end", () => {
    for (const value of [1, null, undefined, ["a"], new String("a")]) assertUnencodable(utf8Coder, value, /expected a string/);
    assertUndecodable(utf8Coder, "05 61", /length 5 is beyond the end of the input/);
    assertUndecodable(utf8Coder, "ff ff ff ff 0f 61", /length 4294967295 is beyond the end/);
    assertUndecodable(utf8Coder, "ff ff ff ff ff ff ff ff ff 01", /length -1 is beyond the end/);
  });
});

describe("bytes coder", () => {
  it("gives a Uint8Array that is its own, whatever the input was", () => {
    for (const length of [0, 1, 32, 33, 1000]) {
      const value = Uint8Array.from({ length }, (_, i) => i);
      const bytes = encode(bytesCoder, value);
      const found = decode(bytesCoder, bytes);
      assert.deepEqual(found, value);
      assert.equal(Object.getPrototypeOf(found), Uint8Array.prototype);
      bytes.fill(0xee);
      assert.deepEqual(found, value, "a copy");
    }
  });

  it("writes a Buffer as the bytes that it views", () => {
    assert.equal(hexOf(bytesCoder, Buffer.from("xabcx").subarray(1, 4)), "03616263");
    assertUnencodable(bytesCoder, "abc", /expected a Uint8Array, got a string/);
  });
});

describe("iterable coder", () => {
  const numbers = iterableCoder(varintCoder);

  it("writes the count, and reads it or chunks", () => {
    assertCoding(numbers, [1, 300], "00000002 01 ac02");
    assertCoding(numbers, [], "00000000");
    assert.deepEqual(decode(numbers, "ffffffff 02 01 02 01 03 00"), [1, 2, 3]);
    assert.deepEqual(decode(numbers, "ffffffff 00"), []);
    assert.deepEqual(decode(iterableCoder(numbers), "ffffffff 01 ffffffff 01 05 00 00"), [[5]]);
  });

  it("writes sets, generators and typed arrays", () => {
    assert.equal(hexOf(numbers, new Set([1, 2])), "000000020102");
    assert.equal(hexOf(numbers, Uint8Array.of(1, 2)), "000000020102");
    const generated = (function* () {
      yield 1;
      yield 2;
    })();
    assert.equal(hexOf(numbers, generated), "000000020102");
    for (const value of [5, null, {}, "12"]) assertUnencodable(numbers, value, /expected an iterable/);
  });

  it("refuses negative counts", () => {
    assertUndecodable(numbers, "fffffffe", /negative count -2/);
    assertUndecodable(numbers, "ffffffff ff ff ff ff ff ff ff ff ff 01", /negative chunk length -1/);
    assertUndecodable(numbers, "ffffffff 01 05", /unexpected end of input/);
  });

  it("does not trust a count: what it takes grows with what is read", () => {
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    assertUndecodable(numbers, "7fffffff 01", /unexpected end of input/);
    assertUndecodable(numbers, "ffffffff ff ff ff ff ff ff ff 0f 01", /unexpected end of input/);
    assertUndecodable(bytesCoder, "ff ff ff ff 07", /beyond the end/);
    assert.ok(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before < 50e6);
  });

  context("of elements without bytes", () => {
    const windows = iterableCoder(globalWindowCoder);

    it("is the count alone", () => {
      assertCoding(windows, [GlobalWindow.instance, GlobalWindow.instance], "00000002");
      assert.equal((decode(windows, "00100000") as unknown[]).length, 1 << 20);
    });

    it("refuses more than any input justifies, also in many iterables", () => {
      assertUndecodable(windows, "7fffffff", /more than 1048576 elements without bytes/);
      assertUndecodable(windows, "ffffffff ff ff ff ff ff ff ff 0f", /elements without bytes/);
      const many = Buffer.concat([fromHex("00002710"), ...Array.from({ length: 10_000 }, () => fromHex("000fffff"))]);
      assertUndecodable(iterableCoder(windows), many, /elements without bytes/);
      assertUndecodable(iterableCoder(nullableCoder(windows)), "00000001 01 7fffffff", /elements without bytes/);
    });

    it("takes any number of them that other bytes come with", () => {
      const reader = new ByteReader(Buffer.alloc(8_000_000, fromHex("00000001")));
      let count = 0;
      while (reader.remaining > 0) count += (windows.decode(reader, true) as unknown[]).length;
      assert.equal(count, 2_000_000);
    });
  });
});

describe("state-backed iterable coder", () => {
  const inlineOnly = stateBackedIterableCoder(utf8Coder);
  const hex = "ffffffff 01 01 61 ff ff ff ff ff ff ff ff ff 01 02 7879";

  it("reads what is inline, then what the token stands for", () => {
    const coder = stateBackedIterableCoder(utf8Coder, (inline, token, element) => [...inline, Buffer.from(token).toString(), element.urn]);
    assert.deepEqual(decode(coder, hex), ["a", "xy", "beam:coder:string_utf8:v1"]);
    assert.deepEqual(decode(coder, "ffffffff 01 01 61 00"), ["a"]);
    assertCoding(coder, ["a"], "00000001 01 61");
  });

  it("says so where nothing can read state", () => {
    assertUndecodable(inlineOnly, hex, /the rest of an iterable is in state/);
    assertUndecodable(inlineOnly, "ffffffff fe ff ff ff ff ff ff ff ff 01", /negative chunk length -2/);
  });
});

describe("coders of coders", () => {
  it("pass the context on to their last part only", () => {
    const coder = kvCoder(utf8Coder, kvCoder(utf8Coder, nullableCoder(utf8Coder)));
    const value = kv("a", kv("b", "c"));
    assert.equal(hexOf(coder, value, true), "0161" + "0162" + "01" + "0163");
    assert.equal(hexOf(coder, value, false), "0161" + "0162" + "01" + "63");
    for (const nested of [true, false]) assert.deepEqual(decode(coder, encode(coder, value, nested), nested), value);
  });

  it("length_prefix is the outermost value behind its length, however long", () => {
    const coder = lengthPrefixCoder(kvCoder(utf8Coder, utf8Coder));
    assert.equal(hexOf(coder, kv("a", "b")), "03" + "0161" + "62");
    for (const length of [124, 125, 126, 127, 128, 16380, 16381, 16382, 20000]) {
      const value = kv("k", "v".repeat(length));
      const bytes = encode(lengthPrefixCoder(coder), value);
      assert.deepEqual(decode(lengthPrefixCoder(coder), bytes), value);
    }
    assertUndecodable(lengthPrefixCoder(varintCoder), "02 01 05", /1 bytes are left over/);
    assertUndecodable(lengthPrefixCoder(varintCoder), "01 80 01", /unexpected end of input/);
    assertUndecodable(lengthPrefixCoder(doubleCoder), "07 3ff00000000000", /8 bytes needed, 7 left/);
  });

  it("nullable is one byte before the value, and undefined is null", () => {
    assertCoding(nullableCoder(varintCoder), null, "00");
    assertCoding(nullableCoder(varintCoder), 5, "01 05");
    assert.equal(hexOf(nullableCoder(varintCoder) as Coder<unknown>, undefined), "00");
    assertUndecodable(nullableCoder(varintCoder), "02 05", /expected 0 or 1 before a nullable value, got 2/);
  });

  it("sharded_key is the shard, then the key, nested in either context", () => {
    assertCoding(shardedKeyCoder(utf8Coder), { shardId: Uint8Array.of(9), key: "k" }, "01 09 01 6b");
    assertUnencodable(shardedKeyCoder(utf8Coder), kv("a", "b"), /expected a sharded key/);
  });

  it("are deterministic where all of their parts are", () => {
    assert.equal(kvCoder(utf8Coder, iterableCoder(nullableCoder(lengthPrefixCoder(utf8Coder)))).deterministic, true);
    assert.equal(kvCoder(utf8Coder, iterableCoder(nullableCoder(lengthPrefixCoder(doubleCoder)))).deterministic, false);
    assert.equal(shardedKeyCoder(doubleCoder).deterministic, false);
  });

  it("say what they got instead", () => {
    assertUnencodable(kvCoder(utf8Coder, utf8Coder), "ab", /expected a KV, got a string/);
    assertUnencodable(kvCoder(utf8Coder, utf8Coder), undefined, /expected a KV, got undefined/);
    assertUnencodable(varintCoder, new Date(0), /got an object of class Date/);
    assertUnencodable(varintCoder, Object.create(null), /got an object of class \(none\)/);
  });
});

describe("readers and writers", () => {
  it("count offsets in errors from the start of the bytes, not of the memory behind them", () => {
    const reader = new ByteReader(new Uint8Array(fromHex("ffff 0180")).subarray(2));
    assert.equal(reader.readVarint(), 1);
    assert.throws(
      () => reader.readVarint(),
      (error) => error instanceof CoderError && error.offset === 2,
    );
  });

  it("read no further than the end that they are given", () => {
    const reader = new ByteReader(fromHex("0102030405"), 1, 3);
    assert.equal(reader.remaining, 2);
    assert.equal(reader.readByte(), 2);
    assert.throws(() => reader.readInt16(), /2 bytes needed, 1 left/);
    reader.reset(fromHex("09"));
    assert.equal(reader.readByte(), 9);
    assert.throws(() => reader.readByte(), /unexpected end of input/);
    for (const length of [-1, NaN, Infinity]) assert.throws(() => reader.readBytes(length), CoderError);
  });

  it("keep what was written when the memory grows", () => {
    const writer = new ByteWriter(1);
    const expected: number[] = [];
    for (let i = 0; i < 5000; i++) {
      writer.writeByte(i & 0xff);
      expected.push(i & 0xff);
    }
    assert.deepEqual([...writer.toBytes()], expected);
    const kept = writer.toBytes(4999);
    writer.reset();
    writer.writeByte(1);
    assert.deepEqual([...kept], [4999 & 0xff]);
    assert.deepEqual([...writer.view()], [1]);
  });
});
