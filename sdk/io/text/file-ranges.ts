import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { glob, isDynamicPattern } from "tinyglobby";
import { compressionOf, type Compression } from "./compression.js";

/** A part of one file, `[start, end)` in bytes; a compressed file is always one part. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly compression: Compression;
}

/**
 * The ranges of all files that match, in the order of their names.
 *
 * @throws Error when nothing matches, or a file cannot be read.
 */
export async function fileRanges(pattern: string, rangeBytes: number): Promise<FileRange[]> {
  // A file may be named like a pattern, e.g. "notes (1).txt".
  const isGlob = isDynamicPattern(pattern) && !existsSync(pattern);
  const paths = isGlob ? (await glob(pattern, { absolute: pattern.startsWith("/"), dot: false })).sort() : [pattern];
  if (paths.length === 0) throw new Error(`no file matches "${pattern}" (in ${process.cwd()})`);
  const ranges: FileRange[] = [];
  for (const path of paths) {
    const { size } = await statFile(path);
    const compression = compressionOf(path);
    if (compression !== "none") {
      ranges.push({ path, start: 0, end: Number.MAX_SAFE_INTEGER, compression });
      continue;
    }
    for (let start = 0; start < size; start += rangeBytes)
      ranges.push({ path, start, end: Math.min(size, start + rangeBytes), compression });
  }
  return ranges;
}

async function statFile(path: string): Promise<{ size: number }> {
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  if (found.isDirectory()) throw new Error(`cannot read "${path}": it is a folder; name files in it, e.g. "${path}/*.txt"`);
  return { size: Number(found.size) };
}

/** An error about a file that says what to do; the system's own error is its cause. */
export function readError(path: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return new Error(`cannot read "${path}": there is no such file (in ${process.cwd()})`, { cause });
  if (code === "EACCES" || code === "EPERM") return new Error(`cannot read "${path}": permission denied`, { cause });
  return new Error(`cannot read "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
