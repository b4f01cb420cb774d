import { open } from "node:fs/promises";

/** Bytes asked of the system at a time. */
const BLOCK_BYTES = 256 * 1024;

/** The bytes of a local file from `position` on. A block is only valid until the next one is asked for. */
export async function* localBlocks(path: string, position: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  // Two buffers: while the lines of one are processed the other is filled. Who keeps bytes copies them.
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
