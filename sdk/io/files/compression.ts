import { pipeline, Readable, type Duplex, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { portableZstdCompress, portableZstdDecompress } from "./portable-zstd.js";

/** How a file is compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** By the ending of a file's name: `.gz`, `.zst`. */
export function compressionOf(path: string): Compression {
  return path.endsWith(".gz") ? "gzip" : path.endsWith(".zst") || path.endsWith(".zstd") ? "zstd" : "none";
}

/** Bytes that leave a decompressor at a time. */
const CHUNK_BYTES = 256 * 1024;

/** What newer versions of Node have besides. */
interface Zstd {
  readonly createZstdCompress?: () => Transform;
}

const native = zlib as Zstd;

/** The same bytes, compressed. Blocks are copied: they may be reused once the next one is asked for. */
export function compress(blocks: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return blocks;
    case "gzip":
      return through(blocks, zlib.createGzip());
    case "zstd":
      return through(blocks, native.createZstdCompress?.() ?? portableZstdCompress());
  }
}

/** The bytes that were compressed; several compressed wholes, one behind the other, are one. */
export function decompress(blocks: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return blocks;
    case "gzip":
      return through(blocks, zlib.createGunzip({ chunkSize: CHUNK_BYTES }));
    case "zstd":
      // Not Node's own: it takes a file that is cut off for a whole one, without an error.
      return through(blocks, portableZstdDecompress());
  }
}

/** What comes out of `transform`, or the first error of either. */
function through(blocks: AsyncIterable<Uint8Array>, transform: Duplex): AsyncIterable<Uint8Array> {
  return pipeline(Readable.from(copied(blocks)), transform, () => {}) as Duplex; // an error also ends the iteration over it
}

async function* copied(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const block of blocks) yield Buffer.from(block);
}
