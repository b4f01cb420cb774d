import { utf8Coder } from "../../../portability/coders/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { flatMap } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import { withCoder } from "../../transforms/with-coder.js";
import { foundFiles, type WatchOption } from "../files/found-files.js";
import { rangesOf, type FileRange } from "../files/match-files.js";
import { blocksOf, contentOf } from "../files/open-file.js";
import { linesOfRange, type LineOptions } from "./line-reader.js";

/** Options of {@link read}. */
export interface ReadOptions extends LineOptions, WatchOption {
  /** Files above this many bytes are read as several ranges, in parallel; default 32 MiB. */
  readonly rangeBytes?: number;
}

/**
 * The lines of all files that match, without their line ends. Large files are read in ranges, in parallel; `.gz` and `.zst`
 * files are decompressed. Lines come in no order.
 *
 * @param pattern a path or glob, relative to the working directory
 * @throws (at run time) Error when nothing matches, a file cannot be read, a line is too long or not UTF-8
 * @example `p.apply(textIO.read("logs/*.log"))`
 * @example `p.apply(textIO.read("logs/*.log", { watch: { everyMs: 10, stopAfterQuietMs: 20 } }))`
 */
export function read(pattern: string, options: ReadOptions = {}): PTransform<Pipeline, PCollection<string>> {
  const rangeBytes = options.rangeBytes ?? 32 * 1024 * 1024;
  if (!(Number.isSafeInteger(rangeBytes) && rangeBytes > 0))
    throw new RangeError(`rangeBytes must be a whole number above 0, not ${rangeBytes}`);
  return {
    defaultName: "textIO.read",
    expand: (p) =>
      foundFiles(p, pattern, options.watch)
        .apply(flatMap("ranges", (file) => rangesOf(file, rangeBytes)))
        .apply(reshuffle("spread ranges"))
        .apply(flatMap("read blocks", (range) => readRange(range, options), { concurrency: 1 }))
        .apply(flatMap("lines", (lines) => lines))
        .apply(withCoder(utf8Coder)),
  };
}

function readRange(range: FileRange, options: LineOptions): AsyncIterable<string[]> {
  const { path, start, compression } = range;
  const blocks = compression === "none" ? blocksOf(path, start > 0 ? start - 1 : 0) : contentOf(path);
  return linesOfRange(blocks, path, start, range.end, options);
}
