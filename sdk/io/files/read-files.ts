import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { flatMap } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import type { ReadFormat } from "./file-format.js";
import type { FileMetadata } from "./file-system.js";
import { foundFiles, type WatchOption } from "./found-files.js";
import { openFile } from "./open-file.js";

/** The records of all files that match, or come to match: of several files in parallel, of one in its order. */
export function readFiles<T>(
  defaultName: string,
  pattern: string,
  format: ReadFormat<T>,
  { watch }: WatchOption = {},
): PTransform<Pipeline, PCollection<T>> {
  return { defaultName, expand: (p) => recordsOf(foundFiles(p, pattern, watch), format) };
}

/** The records of files that were found. */
export function recordsOf<T>(found: PCollection<FileMetadata>, format: ReadFormat<T>): PCollection<T> {
  return found
    .apply(reshuffle("spread files"))
    .apply(flatMap("read", (file) => format.records(openFile(file)), { concurrency: 1 }))
    .apply(flatMap("records", (records) => records));
}
