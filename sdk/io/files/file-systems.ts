import type { FileSystem } from "./file-system.js";
import { localFiles } from "./local-files.js";
import { s3Files } from "./s3-files.js";

const BY_SCHEME: ReadonlyMap<string, FileSystem> = new Map([
  ["file", localFiles],
  ["s3", s3Files],
]);

/**
 * The file system of a path or pattern, by its scheme; without one the local file system.
 *
 * @throws RangeError for a scheme that none is known for
 */
export function fileSystemOf(path: string): FileSystem {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1];
  if (scheme === undefined) return localFiles;
  const found = BY_SCHEME.get(scheme.toLowerCase());
  if (found !== undefined) return found;
  throw new RangeError(`"${path}": no file system is known for ${scheme}://; use s3://bucket/key, file:///path or a plain path`);
}
