import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable, type Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as zlib from "node:zlib";
import { compress, decompress, type Compression } from "../../../../sdk/io/files/compression.js";
import { portableZstdCompress, portableZstdDecompress } from "../../../../sdk/io/files/portable-zstd.js";

async function* blocksOf(...blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) {
    const reused = Buffer.from(block);
    yield reused;
    reused.fill(0); // as those who read files in two alternating buffers do
  }
}
async function all(blocks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const block of blocks) copies.push(Buffer.from(block));
  return Buffer.concat(copies);
}
const through = (bytes: Uint8Array, transform: Transform): Promise<Buffer> => buffer(Readable.from([bytes]).pipe(transform));
const mixed = Buffer.concat([randomBytes(1_500_000), Buffer.from("again and ".repeat(200_000))]);
const contents: Record<string, readonly Uint8Array[]> = {
  nothing: [],
  "a few bytes": [Buffer.from("few")],
  "several frames": [mixed.subarray(0, 1_000_000), mixed.subarray(1_000_000)],
};

describe("compression", () => {
  for (const compression of ["none", "gzip", "zstd"] satisfies Compression[])
    for (const [name, blocks] of Object.entries(contents))
      it(`of ${name} by ${compression} is undone`, async () => {
        const whole = Buffer.concat(blocks);
        const packed = await all(compress(blocksOf(...blocks), compression));
        assert.ok((await all(decompress(blocksOf(packed), compression))).equals(whole));
        const twice = await all(decompress(blocksOf(packed, packed), compression));
        assert.ok(twice.equals(Buffer.concat([whole, whole])), "two wholes, one behind the other");
      });

  context("by zstd where Node has none", () => {
    for (const [name, blocks] of Object.entries(contents))
      it(`is undone of ${name}`, async () => {
        const whole = Buffer.concat(blocks);
        const packed = await through(whole, portableZstdCompress());
        assert.ok((await through(packed, portableZstdDecompress())).equals(whole));
      });

    const native = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer; zstdDecompressSync?: (bytes: Uint8Array) => Buffer };
    (native.zstdCompressSync === undefined ? it.skip : it)("is what Node's own reads and writes (Node 22.15 and newer)", async () => {
      assert.ok(native.zstdDecompressSync!(await through(mixed, portableZstdCompress())).equals(mixed));
      assert.ok((await through(native.zstdCompressSync!(mixed), portableZstdDecompress())).equals(mixed));
    });

    it("fails for what ends too early, and for what is something else", async () => {
      const packed = await through(mixed, portableZstdCompress());
      await assert.rejects(all(decompress(blocksOf(packed.subarray(0, -5)), "zstd")));
      await assert.rejects(all(decompress(blocksOf(Buffer.from("no zstd at all")), "zstd")));
    });
  });
});
