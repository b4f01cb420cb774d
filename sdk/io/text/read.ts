import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { pipeline as pipe } from "node:stream/promises";
import { PassThrough } from "node:stream";
import { utf8Coder } from "../../../portability/coders/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatMap } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import { withCoder } from "../../transforms/with-coder.js";
import { fileRanges, readError, type FileRange } from "./file-ranges.js";
import { linesOfRange, type LineOptions } from "./line-reader.js";

/** Options of {@link read}. */
export interface ReadOptions extends LineOptions {
  /** Files above this many bytes are read as several ranges, in parallel; default 32 MiB. */
  readonly rangeBytes?: number;
}

/** Bytes asked of the system at a time. */
const BLOCK_BYTES = 256 * 1024;

/**
 * The lines of all files that match, without their line ends. Large files are read in ranges, in parallel; `.gz` files
 * are decompressed. Lines come in no order.
 *
 * @param pattern a path or glob, relative to the working directory
 * @throws (at run time) Error when nothing matches, a file cannot be read, a line is too long or not UTF-8
 * @example `p.apply(textIO.read("logs/*.log"))`
 */
export function read(pattern: string, options: ReadOptions = {}): PTransform<Pipeline, PCollection<string>> {
  const rangeBytes = options.rangeBytes ?? 32 * 1024 * 1024;
  if (!(Number.isSafeInteger(rangeBytes) && rangeBytes > 0))
    throw new RangeError(`rangeBytes must be a whole number above 0, not ${rangeBytes}`);
  return {
    defaultName: "textIO.read",
    expand: (p) =>
      p
        .apply(create("pattern", [pattern]))
        .apply(flatMap("match files", (glob) => fileRanges(glob, rangeBytes)))
        .apply(reshuffle("spread ranges"))
        .apply(flatMap("read blocks", (range) => readRange(range, options), { concurrency: 1 }))
        .apply(flatMap("lines", (lines) => lines))
        .apply(withCoder(utf8Coder)),
  };
}

function readRange(range: FileRange, options: LineOptions): AsyncIterable<string[]> {
  const blocks = range.gzip ? gunzipped(range.path) : blocksOf(range.path, range.start > 0 ? range.start - 1 : 0);
  return linesOfRange(blocks, range.path, range.start, range.end, options);
}

async function* blocksOf(path: string, position: number): AsyncGenerator<Uint8Array> {
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

async function* gunzipped(path: string): AsyncGenerator<Uint8Array> {
  const output = new PassThrough({ highWaterMark: BLOCK_BYTES });
  const piped = pipe(createReadStream(path, { highWaterMark: BLOCK_BYTES }), createGunzip({ chunkSize: BLOCK_BYTES }), output);
  piped.catch(() => undefined); // surfaces below, through the stream
  try {
    for await (const chunk of output) yield chunk as Uint8Array;
    await piped;
  } catch (cause) {
    throw readError(path, cause);
  }
}
