// How a record on disk begins: the hash of its key, the number of its window, and the epoch in which it has changed, four bytes each.
import type { ByteWriter } from "../../portability/coders/index.js";

export const HEADER_BYTES = 12;

export function writeHeader(to: ByteWriter, hash: number, window: number, epoch: number): void {
  to.writeInt32(hash);
  to.writeInt32(window);
  to.writeInt32(epoch);
}

/** Unsigned, as key spaces have it. */
export const hashOf = (image: Uint8Array): number => int32At(image, 0) >>> 0;

export const windowOf = (image: Uint8Array): number => int32At(image, 4);

export const epochOf = (image: Uint8Array): number => int32At(image, 8);

export function setEpoch(image: Uint8Array, epoch: number): void {
  image[8] = epoch >>> 24;
  image[9] = epoch >>> 16;
  image[10] = epoch >>> 8;
  image[11] = epoch;
}

function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
