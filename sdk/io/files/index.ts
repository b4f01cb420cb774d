// Files of any format, in the local file system and in S3: found, read, and written whole or not at all.
export type { Compression } from "./compression.js";
export type { ByteSink, OpenFile, RandomAccessFile, ReadFormat, RecordWriter, WriteFormat } from "./file-format.js";
export type { FileMetadata } from "./file-system.js";
export type { WatchOption } from "./found-files.js";
export { linesFormat as lines } from "./lines-format.js";
export {
  blocks,
  match,
  matchAll,
  read,
  readBytes,
  readMatches,
  readText,
  write,
  type MatchOptions,
  type ReadableFile,
} from "./transforms.js";
export type { WriteFilesOptions } from "./write-target.js";
