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
    expand: (p) =>
      p
        .apply(create("pattern", [pattern]))
        .apply(flatMap("match files", (glob) => matchFiles(glob)))
        .apply(reshuffle("spread files"))
        .apply(flatMap("read", (file: FileMetadata) => format.records(openFile(file)), { concurrency: 1 }))
        .apply(flatMap("records", (records) => records)),
  };
}
