import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, ByteWriter, bytesCoder, stateBackedIterableCoder, type Coder } from "../../../../portability/coders/index.js";
import { LargeGroups, type GroupValues } from "../../../../runner/bundles/large-groups.js";
import { rawValueOf, type RawValue } from "../../../../runner/bundles/raw-value.js";

/** Values of a coder of bytes, nested. */
const raw = (bytes: Uint8Array): RawValue => {
  const writer = new ByteWriter();
  bytesCoder.encode(bytes, writer, true);
  return rawValueOf(writer.view());
};

/** As a group on disk is: iterable, and no array. Counts how often. */
class OnDisk {
  iterations = 0;
  constructor(private readonly values: readonly RawValue[]) {}
  get length(): number {
    return this.values.length;
  }
  [Symbol.iterator](): Iterator<RawValue> {
    this.iterations++;
    return this.values[Symbol.iterator]();
  }
}

/** What a reader makes of a group: its values, and how many requests it took. */
function readBack(groups: LargeGroups, writer: ByteWriter): { values: Uint8Array[]; pages: number } {
  let pages = 0;
  const rest = (inline: unknown[], key: Uint8Array, element: Coder<unknown>): unknown[] => {
    const all = [...inline];
    let continuationToken: Uint8Array | undefined;
    do {
      const { get } = groups.answer({ stateKey: { runner: { key } }, get: { continuationToken } })!;
      for (const reader = new ByteReader(get!.data!); reader.remaining > 0;) all.push(element.decode(reader, true));
      continuationToken = get!.continuationToken!;
      pages++;
    } while (continuationToken.length > 0);
    return all;
  };
  const coder = stateBackedIterableCoder(bytesCoder, rest);
  return { values: [...coder.decode(new ByteReader(writer.toBytes()), true)], pages };
}

describe("LargeGroups", () => {
  it("gives every value of a group once, in its order, with the element or by the page, as often as it is asked", () => {
    const anyValues = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 1, max: 2000 }), fc.boolean(), (values, pageBytes, onDisk) => {
        const groups = new LargeGroups(pageBytes);
        const encoded = values.map(raw);
        const group: GroupValues = onDisk ? new OnDisk(encoded) : encoded;
        const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
        const writer = new ByteWriter();
        assert.equal(groups.encode(group, writer), onDisk || bytes > pageBytes);
        if (writer.length === 0) return;
        for (let time = 0; time < 2; time++) assert.deepEqual(readBack(groups, writer).values, values);
      }),
    );
  });

  it("reads a group from disk once for all of its pages", () => {
    const group = new OnDisk(Array.from({ length: 1000 }, (_, i) => raw(new Uint8Array(100).fill(i))));
    const groups = new LargeGroups(1000);
    const writer = new ByteWriter();
    groups.encode(group, writer);
    assert.equal(readBack(groups, writer).pages, 99);
    assert.equal(group.iterations, 1);
  });

  it("writes no more than a page with the element", () => {
    const writer = new ByteWriter();
    new LargeGroups(1000).encode(
      Array.from({ length: 1000 }, () => raw(new Uint8Array(100))),
      writer,
    );
    assert.ok(writer.length < 1200, `${writer.length} bytes`);
  });

  it("refuses groups of other bundles, writes, and tokens of others, and leaves other state to others", () => {
    const groups = new LargeGroups(10);
    groups.encode([raw(new Uint8Array(20)), raw(new Uint8Array(20))], new ByteWriter());
    const key = Buffer.from("0");
    assert.throws(() => groups.answer({ stateKey: { runner: { key } }, clear: {} }), /only be read/);
    assert.throws(() => groups.answer({ stateKey: { runner: { key: Buffer.from("7") } }, get: {} }), /token/);
    assert.throws(() => groups.answer({ stateKey: { runner: { key } }, get: { continuationToken: Buffer.from("9") } }), /token/);
    assert.equal(groups.answer({ stateKey: { bagUserState: {} }, get: {} }), undefined);
    groups.begin();
    assert.throws(() => groups.answer({ stateKey: { runner: { key } }, get: {} }), /token|no such group/);
  });
});
