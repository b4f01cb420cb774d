import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { pipeline as pipe } from "node:stream/promises";
import { decompressor, type Compression } from "./compression.js";
import { readError } from "./file-ranges.js";

/** Bytes asked of the system at a time. */
const BLOCK_BYTES = 256 * 1024;

/** The bytes of a file from `position` on. A block is only valid until the next one is asked for. */
export async function* blocksOf(path: string, position = 0): AsyncGenerator<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw readError(path, cause);
  }
  // Two buffers: while the lines of one are processed the other is filled. The line reader copies what it keeps.
  let current = Buffer.allocUnsafe(BLOCK_BYTES);
  let next = Buffer.allocUnsafe(BLOCK_BYTES);
  let reading = file.read(next, 0, BLOCK_BYTES, position);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      [current, next] = [next, current];
      reading = file.read(next, 0, BLOCK_BYTES, position);
      reading.catch(() => undefined); // surfaces when it is awaited
      yield current.subarray(0, bytesRead);
    }
  } finally {
    await reading.catch(() => undefined);
    await file.close();
  }
}

/** The content of a compressed file. */
export async function* decompressed(path: string, compression: Exclude<Compression, "none">): AsyncGenerator<Uint8Array> {
  const output = new PassThrough({ highWaterMark: BLOCK_BYTES });
  const piped = pipe(createReadStream(path, { highWaterMark: BLOCK_BYTES }), decompressor(compression, BLOCK_BYTES), output);
  piped.catch(() => undefined); // surfaces below, through the stream
  try {
    for await (const chunk of output) yield chunk as Uint8Array;
    await piped;
  } catch (cause) {
    throw readError(path, cause);
  }
}
