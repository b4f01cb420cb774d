import assert from "node:assert/strict";
import { readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  BLOCK_BYTES,
  BlockPool,
  CorruptPieceError,
  PieceReader,
  PieceWriter,
  type Blocks,
  type PieceRef,
} from "../../../../runner/checkpoint/index.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a piece of a checkpoint", () => {
  const folder = temporaryFolder();
  const pathOf = (name: string): string => join(folder.path, name);

  async function small(): Promise<PieceRef> {
    const writer = new PieceWriter(pathOf("small.piece"));
    writer.add({ part: "a/keyed", group: 3 }, bytes("one"));
    writer.add({ part: "a/source@0", group: -1 }, bytes(""));
    writer.add({ part: "a/keyed", group: 3 }, bytes("two"));
    return writer.finish();
  }

  function fill(writer: PieceWriter, length: number): Promise<PieceRef> {
    writer.add({ part: "p", group: 0 }, new Uint8Array(length).fill("a".charCodeAt(0)));
    return writer.finish();
  }

  async function readAll(piece: PieceRef): Promise<string[]> {
    const reader = await PieceReader.open(pathOf(piece.name), piece);
    try {
      await reader.verify();
      const found: string[] = [];
      for (const id of new Set(reader.ids.map(({ part, group }) => `${part} ${group}`))) {
        const [part, group] = id.split(" ");
        for await (const { section } of reader.read({ part, group: Number(group) })) found.push(`${id} ${Buffer.from(section).toString()}`);
      }
      return found;
    } finally {
      await reader.close();
    }
  }

  it("has the sections that were added, in order, and is read by their ids", async () => {
    const piece = await small();
    assert.deepEqual(await readAll(piece), ["a/keyed 3 one", "a/keyed 3 two", "a/source@0 -1 "]);
    const reader = await PieceReader.open(pathOf(piece.name), piece);
    const found: string[] = [];
    for await (const { section } of reader.read({ part: "a/keyed", group: 3 })) found.push(Buffer.from(section).toString());
    await reader.close();
    assert.deepEqual(found, ["one", "two"]);
    assert.deepEqual(await readdir(folder.path), ["small.piece"]);
  });

  it("takes sections larger than what is written at once", async () => {
    const writer = new PieceWriter(pathOf("large.piece"));
    const sections = Array.from({ length: 9 }, (_, i) => new Uint8Array(700_000).fill(i));
    for (const [group, section] of sections.entries()) writer.add({ part: "p", group }, section.slice());
    await writer.drained();
    assert.ok(!writer.isBusy);
    const piece = await writer.finish();
    const reader = await PieceReader.open(pathOf(piece.name), piece);
    for (const [group, written] of sections.entries())
      for await (const { section } of reader.read({ part: "p", group })) assert.ok(Buffer.from(section).equals(written));
    await reader.close();
  });

  it("is whole however its end lies between the blocks that are written, which are used again", async () => {
    const blocks = new BlockPool();
    const endOf = (await fill(new PieceWriter(pathOf("x.piece")), 0)).bytes;
    for (const beyond of [-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097]) {
      const length = 2 * BLOCK_BYTES + beyond - endOf;
      const piece = await fill(new PieceWriter(pathOf("x.piece"), blocks), length);
      assert.ok(Math.abs(piece.bytes - (2 * BLOCK_BYTES + beyond)) < 20, "the index says more of a longer section");
      assert.equal((await readFile(pathOf("x.piece"))).byteLength, piece.bytes);
      assert.equal((await readAll(piece))[0].length, "p 0 ".length + length);
    }
  });

  it("is written through the page cache where the file system wants that", async () => {
    let taken = 0;
    const unaligned: Blocks = { take: () => Buffer.alloc(BLOCK_BYTES + 1).subarray(1), giveBack: () => void taken++ };
    const piece = await fill(new PieceWriter(pathOf("x.piece"), unaligned), 3_000_000);
    assert.equal((await readAll(piece))[0].length, "p 0 ".length + 3_000_000);
    assert.ok(taken > 2);
  });

  it("is noticed to have changed, whichever byte it is", async () => {
    const piece = await small();
    const path = pathOf(piece.name);
    const whole = await readFile(path);
    for (let at = 0; at < whole.byteLength; at++)
      for (const flip of [0x01, 0x80]) {
        const changed = Buffer.from(whole);
        changed[at] ^= flip;
        await writeFile(path, changed);
        await assert.rejects(readAll(piece), CorruptPieceError, `byte ${at}`);
      }
  });

  it("is noticed to be cut off, at whichever byte, or to have grown", async () => {
    const piece = await small();
    const path = pathOf(piece.name);
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole, whole]));
    await assert.rejects(readAll(piece), CorruptPieceError);
    await writeFile(path, whole);
    for (let length = whole.byteLength - 1; length >= 0; length--) {
      await truncate(path, length);
      await assert.rejects(readAll(piece), CorruptPieceError);
      await assert.rejects(readAll({ ...piece, bytes: length }), CorruptPieceError, `${length} bytes, as the manifest says`);
    }
  });

  it("is noticed to be another one, or missing", async () => {
    const piece = await small();
    await assert.rejects(readAll({ ...piece, crc: piece.crc + 1 }), CorruptPieceError);
    await rm(pathOf(piece.name));
    await assert.rejects(readAll(piece), CorruptPieceError);
  });

  it("leaves nothing when it is abandoned, before and after something was written", async () => {
    await new PieceWriter(pathOf("empty.piece")).abandon();
    const writer = new PieceWriter(pathOf("some.piece"));
    writer.add({ part: "p", group: 0 }, new Uint8Array(3_000_000));
    await writer.abandon();
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("gives its memory back, however it ends, and may be empty", async () => {
    const pool = new BlockPool();
    let taken = 0;
    const blocks: Blocks = {
      take: () => (taken++, pool.take()),
      giveBack: (block: Buffer) => (taken--, pool.giveBack(block)),
    };
    for (const length of [undefined, 0, 10, BLOCK_BYTES, 3 * BLOCK_BYTES]) {
      const [first, second] = ["first", "second"].map((name) => new PieceWriter(pathOf(`${name}.piece`), blocks));
      if (length !== undefined) for (const writer of [first, second]) writer.add({ part: "p", group: 0 }, new Uint8Array(length));
      await first.abandon();
      assert.deepEqual(await readAll(await second.finish()), length === undefined ? [] : [`p 0 ${"\0".repeat(length)}`]);
      assert.equal(taken, 0, `${length} bytes`);
    }
  });

  it("tells that it could not be written, and leaves nothing", async () => {
    const writer = new PieceWriter(pathOf("missing/x.piece"));
    writer.add({ part: "p", group: 0 }, new Uint8Array(3_000_000));
    await writer.drained();
    await assert.rejects(writer.finish(), /ENOENT/);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("tells that the disk is full", async function () {
    if (process.platform !== "linux") return this.skip();
    const writer = new PieceWriter(pathOf("x.piece"));
    await symlink("/dev/full", pathOf("x.piece.part"));
    writer.add({ part: "p", group: 0 }, new Uint8Array(3_000_000));
    await assert.rejects(writer.finish(), /ENOSPC/);
  });
});
