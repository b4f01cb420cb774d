import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatMap } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import type { ReadFormat } from "./file-format.js";
import type { FileMetadata } from "./file-system.js";
import { matchFiles } from "./match-files.js";
import { openFile } from "./open-file.js";

/** The records of all files that match: of several files in parallel, of one in its order. */
export function readFiles<T>(defaultName: string, pattern: string, format: ReadFormat<T>): PTransform<Pipeline, PCollection<T>> {
  return {
    defaultName,
    expand: (p) => recordsOf(p.apply(create("pattern", [pattern])).apply(flatMap("match files", (glob) => matchFiles(glob))), format),
  };
}

/** The records of files that were found. */
export function recordsOf<T>(found: PCollection<FileMetadata>, format: ReadFormat<T>): PCollection<T> {
  return found
    .apply(reshuffle("spread files"))
    .apply(flatMap("read", (file) => format.records(openFile(file)), { concurrency: 1 }))
    .apply(flatMap("records", (records) => records));
}
