// Files of a format in memory: what is written, and what is read of bytes.
import type { OpenFile, ReadFormat, WriteFormat } from "../../sdk/io/files/file-format.js";

/** The bytes that a format makes of records. */
export async function bytesOf<T>(format: WriteFormat<T>, records: Iterable<T>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const writer = format.open({
    write: (bytes) => {
      pieces.push(Buffer.from(bytes));
      return Promise.resolve();
    },
  });
  for (const record of records) await writer.write(record);
  await writer.finish();
  return Buffer.concat(pieces);
}

/** What a format finds in bytes, given out in blocks whose memory is used again. */
export async function recordsIn<T>(format: ReadFormat<T>, bytes: Uint8Array, path = "memory", blockBytes = 7): Promise<T[]> {
  const block = new Uint8Array(blockBytes);
  const file: OpenFile = {
    path,
    size: bytes.length,
    read: (start, end) => Promise.resolve(bytes.subarray(start, end)),
    async *blocks() {
      for (let start = 0; start < bytes.length; start += blockBytes) {
        const piece = bytes.subarray(start, start + blockBytes);
        block.set(piece);
        yield block.subarray(0, piece.length);
        block.fill(0xff);
      }
    },
  };
  const found: T[] = [];
  for await (const batch of format.records(file)) found.push(...batch);
  return found;
}
