import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import { create } from "../../transforms/create.js";
import { flatMap, values } from "../../transforms/elementwise.js";
import { watch, type WatchTimes } from "../../transforms/watch.js";
import { isMissing } from "./file-error.js";
import type { FileMetadata } from "./file-system.js";
import { fileSystemOf } from "./file-systems.js";
import { matchFiles } from "./match-files.js";

/** What every transform that reads files takes. */
export interface WatchOption {
  /**
   * Goes on looking for files that match, and reads those that are new, each once, by its name: then the output is unbounded, unless it stops.
   * A file should be moved to where it is found when it is complete. Its records are at the time at which it was found. Default: the files
   * that are there are read.
   */
  readonly watch?: WatchTimes;
}

/** The files that match a pattern: those that are there, or with `watch` those that come, too. */
export function foundFiles(p: Pipeline, pattern: string, times: WatchTimes | undefined): PCollection<FileMetadata> {
  const patterns = p.apply(create("pattern", [pattern]));
  return times === undefined ? patterns.apply(flatMap("match files", matchFiles)) : watchedFiles(patterns, times);
}

/** The files that come to match each of the patterns. */
export function watchedFiles(patterns: PCollection<string>, times: WatchTimes): PCollection<FileMetadata> {
  return patterns.apply(watch({ ...times, poll: matchOrNone, keyOf: ({ path }: FileMetadata) => path })).apply(values("files found"));
}

/** One that is named without a pattern may come later, too. */
async function matchOrNone(pattern: string): Promise<FileMetadata[]> {
  try {
    return await fileSystemOf(pattern).match(pattern);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
