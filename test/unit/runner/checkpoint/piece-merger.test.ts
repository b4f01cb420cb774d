// The built one: its thread is plain JavaScript.
import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { SectionWriter } from "../../../../runner/snapshot/index.js";
import type * as Checkpoint from "../../../../runner/checkpoint/index.js";
import { newPiece, openPiece, type ManifestPiece } from "../../../../runner/checkpoint/index.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const { PieceMerger } = (await import(new URL("../../../../dist/runner/checkpoint/index.js", import.meta.url).href)) as typeof Checkpoint;

describe("a merger of pieces", () => {
  const folder = temporaryFolder();
  beforeEach(() => mkdir(join(folder.path, "pieces")));

  const files = async (): Promise<string[]> => (await readdir(join(folder.path, "pieces"))).sort();
  const merger = () =>
    new PieceMerger({ folder: folder.path, generation: 1, since: {} }, (error) => assert.fail(`it has failed: ${error.message}`));

  async function pieceOf(epoch: number, records: number): Promise<ManifestPiece> {
    const writer = newPiece(folder.path, epoch, 1, "w0");
    const sections = new SectionWriter((group, bytes) => writer.add({ part: "p/keyed", group }, bytes));
    for (let i = 0; i < records; i++) {
      sections.beginPut(i % 4).writeUtf8(`${i}`);
      sections.beginPayload();
      sections.end();
    }
    sections.flush();
    return { ...(await writer.finish()), epoch };
  }

  const piecesOf = (count: number, records = 5): Promise<ManifestPiece[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => pieceOf(i + 1, records)));

  /** The pieces, as soon as some of them have become one. */
  async function appliedTo(pieces: readonly ManifestPiece[], by: InstanceType<typeof PieceMerger>): Promise<readonly ManifestPiece[]> {
    for (;;) {
      const applied = by.apply(pieces);
      if (applied !== pieces) return applied;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it("puts one in the place of several, which it can be read instead of", async () => {
    const pieces = await piecesOf(8);
    const by = merger();
    by.published(pieces);
    const [only, ...others] = await appliedTo(pieces, by);
    assert.deepEqual(others, []);
    assert.equal(only.epoch, 8);
    await by.stop();
    const reader = await openPiece(folder.path, only);
    await reader.verify();
    await reader.close();
  });

  it("uses no name twice, though the last piece of a manifest may be one that it has made", async () => {
    const pieces = await piecesOf(8);
    const by = merger();
    by.published(pieces);
    const [first] = await appliedTo(pieces, by);
    const others = Array.from({ length: 7 }, (_, i) => ({ ...pieces[i], bytes: pieces[i].bytes }));
    await by.stop();
    by.published([...others, first]);
    const again = await appliedTo([...others, first], by);
    assert.ok(again.every(({ name }) => name !== first.name));
    await by.stop();
  });

  it("leaves nothing behind when it is stopped before a manifest names what it has made", async () => {
    const pieces = await piecesOf(8, 20_000);
    const before = await files();
    for (const ms of [0, 30, 60, 120, 1500]) {
      const by = merger();
      by.published(pieces);
      await new Promise((resolve) => setTimeout(resolve, ms));
      await by.stop();
      assert.deepEqual(await files(), before);
    }
  });
});
