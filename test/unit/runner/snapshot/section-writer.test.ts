import assert from "node:assert/strict";
import { CoderError } from "../../../../portability/coders/index.js";
import { SectionMerger, SectionWriter } from "../../../../runner/snapshot/index.js";

const id = Uint8Array.of(1, 2, 3);

function put(writer: SectionWriter, group: number, payload: Uint8Array): void {
  const to = writer.beginPut(group);
  to.writeBytes(id);
  writer.beginPayload();
  to.writeBytes(payload);
  writer.end();
}

describe("SectionWriter", () => {
  it("hands on what a key group has once it is large, and the rest at the end", () => {
    const taken: [number, number][] = [];
    const writer = new SectionWriter((group, bytes) => taken.push([group, bytes.byteLength]));
    for (let i = 0; i < 3; i++) for (const group of [7, -1]) put(writer, group, new Uint8Array(100_000));
    assert.deepEqual(
      taken.map(([group]) => group),
      [7, -1],
    );
    writer.flush();
    assert.deepEqual(
      taken.map(([group]) => group),
      [7, -1, 7, -1],
    );
    assert.ok(taken.slice(0, 2).every(([, bytes]) => bytes > 200_000));
    writer.flush();
    assert.equal(taken.length, 4);
  });

  it("refuses a record within another one", () => {
    const writer = new SectionWriter(() => {});
    writer.beginPut(0);
    assert.throws(() => writer.beginDelete(0), /within another/);
  });
});

describe("SectionMerger", () => {
  it("tells bytes that are none of a section by a CoderError, whatever they are", () => {
    let section!: Uint8Array;
    const writer = new SectionWriter((_, bytes) => (section = Uint8Array.from(bytes)));
    put(writer, 0, Uint8Array.of(9, 9));
    writer.flush();
    for (let length = 1; length < section.byteLength; length++)
      assert.throws(() => new SectionMerger().add(section.subarray(0, length)), CoderError, `cut off behind ${length} bytes`);
    for (let kind = 3; kind < 256; kind++)
      assert.throws(() => new SectionMerger().add(Uint8Array.of(kind, ...section.subarray(1))), CoderError);
    for (const huge of [
      [1, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      [0, 5, 1],
    ])
      assert.throws(() => new SectionMerger().add(Uint8Array.from(huge)), CoderError);
  });
});
