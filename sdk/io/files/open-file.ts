import { compressionOf, decompress } from "./compression.js";
import type { OpenFile } from "./file-format.js";
import type { FileMetadata } from "./file-system.js";
import { fileSystemOf } from "./file-systems.js";

/** The bytes of a file from `position` on, as they are stored. */
export function blocksOf(path: string, position = 0): AsyncIterable<Uint8Array> {
  return fileSystemOf(path).blocks(path, position);
}

/**
 * The content of a file: decompressed, if its name says that it is compressed. A block is only valid until the next one is asked for.
 *
 * @throws (while it is iterated) Error naming the file
 */
export async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  const compression = compressionOf(path);
  if (compression === "none") return yield* blocksOf(path);
  try {
    yield* decompress(blocksOf(path), compression);
  } catch (cause) {
    throw fileSystemOf(path).failure("read", path, cause);
  }
}

/** A file as its format reads it. */
export function openFile({ path, size }: FileMetadata): OpenFile {
  return {
    path,
    size,
    blocks: () => contentOf(path),
    async read(start, end) {
      if (compressionOf(path) !== "none")
        throw new Error(`cannot read "${path}": a file of this format is compressed inside, not as a whole; decompress it first`);
      return fileSystemOf(path).read(path, start, end);
    },
  };
}
