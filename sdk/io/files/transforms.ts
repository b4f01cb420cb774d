import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatMap, map } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import { compressionOf, type Compression } from "./compression.js";
import type { ReadFormat, WriteFormat } from "./file-format.js";
import type { FileMetadata } from "./file-system.js";
import { fileSystemOf } from "./file-systems.js";
import { watchedFiles, type WatchOption } from "./found-files.js";
import { matchFiles } from "./match-files.js";
import { contentOf } from "./open-file.js";
import { recordsOf } from "./read-files.js";
import { writeFiles } from "./write-files.js";
import type { WriteFilesOptions } from "./write-target.js";

/** A file that {@link readMatches} has found: plain data, to be read by {@link readText}, {@link readBytes} or {@link blocks}. */
export interface ReadableFile extends FileMetadata {
  /** How it is compressed; it is decompressed when it is read. */
  readonly compression: Compression;
}

/** Options of {@link match} and {@link matchAll}. */
export interface MatchOptions extends WatchOption {
  /** What a pattern that matches nothing means, unless it is watched; default "error". */
  readonly empty?: "error" | "allow";
}

/**
 * The files that match a pattern, with their sizes and times: `*` and `?` within a folder, `**` across folders, `{a,b}`; in the local file
 * system or `s3://`.
 *
 * @throws (at run time) Error when nothing matches, unless that is allowed
 * @example
 * ```ts
 * p.apply(files.match("examples/data/*.csv")).apply(map(({ path, size }) => `${path}: ${size} bytes`));
 * ```
 */
export function match(pattern: string, options?: MatchOptions): PTransform<Pipeline, PCollection<FileMetadata>> {
  return { defaultName: "files.match", expand: (p) => p.apply(create("pattern", [pattern])).apply(matchAll(options)) };
}

/**
 * The files that match each of the patterns.
 *
 * @throws (at run time) Error when one matches nothing, unless that is allowed
 * @example
 * ```ts
 * p.apply(create(["examples/data/*.csv", "examples/data/*.log"])).apply(files.matchAll()).apply(files.readMatches());
 * ```
 */
export function matchAll({ empty = "error", watch }: MatchOptions = {}): PTransform<PCollection<string>, PCollection<FileMetadata>> {
  const find = empty === "error" ? matchFiles : (pattern: string) => fileSystemOf(pattern).match(pattern);
  return {
    defaultName: "files.matchAll",
    expand: (patterns) =>
      watch === undefined ? patterns.apply(flatMap("match", (pattern) => find(pattern))) : watchedFiles(patterns, watch),
  };
}

/**
 * Makes matched files readable, spread over all workers.
 *
 * @example
 * ```ts
 * p.apply(files.match("examples/data/*.csv")).apply(files.readMatches()).apply(map((file) => files.readText(file)));
 * ```
 */
export function readMatches(): PTransform<PCollection<FileMetadata>, PCollection<ReadableFile>> {
  return {
    defaultName: "files.readMatches",
    expand: (found) =>
      found.apply(reshuffle("spread files")).apply(map("readable", (file) => ({ ...file, compression: compressionOf(file.path) }))),
  };
}

/**
 * The content of a file, a block at a time, decompressed. A block is only valid until the next one is asked for.
 *
 * @throws (while it is iterated) Error naming the file
 * @example
 * ```ts
 * p.apply(files.match("examples/data/*.csv")).apply(
 *   map(async (file) => {
 *     let bytes = 0;
 *     for await (const block of files.blocks(file)) bytes += block.length;
 *     return bytes;
 *   }),
 * );
 * ```
 */
export function blocks(file: FileMetadata): AsyncIterable<Uint8Array> {
  return contentOf(file.path);
}

/**
 * The content of a file, decompressed, in memory as a whole.
 *
 * @throws Error naming the file
 * @example
 * ```ts
 * p.apply(files.match("examples/data/*.csv")).apply(map(async (file) => (await files.readBytes(file)).length));
 * ```
 */
export async function readBytes(file: FileMetadata): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const block of blocks(file)) chunks.push(Buffer.from(block));
  return Buffer.concat(chunks);
}

/**
 * The content of a file as text in UTF-8, decompressed, in memory as a whole.
 *
 * @throws Error naming the file
 * @example
 * ```ts
 * p.apply(files.match("examples/data/*.csv")).apply(map(async (file) => (await files.readText(file)).split("\n").length));
 * ```
 */
export async function readText(file: FileMetadata): Promise<string> {
  return Buffer.from(await readBytes(file)).toString("utf8");
}

/**
 * The records of files of a format, such as those of `avro` and `parquet`.
 *
 * @throws (at run time) Error naming the file
 * @example
 * ```ts
 * const firstLines: files.ReadFormat<string> = {
 *   access: "stream",
 *   async *records(file) {
 *     for await (const block of file.blocks()) return yield [Buffer.from(block).toString().split("\n")[0]];
 *   },
 * };
 * p.apply(files.match("examples/data/*.csv")).apply(files.read(firstLines));
 * ```
 */
export function read<T>(format: ReadFormat<T>): PTransform<PCollection<FileMetadata>, PCollection<T>> {
  return { defaultName: "files.read", expand: (found) => recordsOf(found, format) };
}

/**
 * Writes elements as files of a format: `shards` of them, or those of each destination. Nothing is visible under its name before it is
 * complete, and nothing is left behind by a run that fails. The output holds the names of the files.
 *
 * @throws (at run time) Error when a file cannot be written
 * @example
 * ```ts
 * orders.apply(files.write("out/by-customer/*.txt", files.lines((order) => order.id), { destination: ({ customer }) => customer }));
 * ```
 */
export function write<T>(
  path: string,
  format: WriteFormat<T>,
  options?: WriteFilesOptions<T>,
): PTransform<PCollection<T>, PCollection<string>> {
  return writeFiles("files.write", path, format, options);
}
