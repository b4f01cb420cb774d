import { compressionOf, type Compression } from "./compression.js";
import type { FileMetadata } from "./file-system.js";
import { fileSystemOf } from "./file-systems.js";

/**
 * All files that match, in the order of their names.
 *
 * @throws Error when nothing matches, or a file cannot be read
 */
export async function matchFiles(pattern: string): Promise<FileMetadata[]> {
  const found = await fileSystemOf(pattern).match(pattern);
  if (found.length === 0) throw new Error(`no file matches "${pattern}" (in ${process.cwd()})`);
  return found;
}

/** A part of one file, `[start, end)` in bytes; a compressed file is always one part. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly compression: Compression;
}

/** The ranges of a file; none of an empty one. */
export function rangesOf({ path, size }: FileMetadata, rangeBytes: number): FileRange[] {
  const compression = compressionOf(path);
  if (compression !== "none") return [{ path, start: 0, end: Number.MAX_SAFE_INTEGER, compression }];
  const ranges: FileRange[] = [];
  for (let start = 0; start < size; start += rangeBytes) ranges.push({ path, start, end: Math.min(size, start + rangeBytes), compression });
  return ranges;
}
