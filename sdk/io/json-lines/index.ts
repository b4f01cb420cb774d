// JSON values, one a line, in text files (https://jsonlines.org). Uses the SDK's public surface alone.
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { filter } from "../../transforms/elementwise.js";
import { fromJson, jsonOf } from "../../transforms/texts.js";
import { linesFormat } from "../files/lines-format.js";
import { writeFiles } from "../files/write-files.js";
import type { WriteFilesOptions } from "../files/write-target.js";
import { read as readLines, type ReadOptions } from "../text/index.js";

/**
 * The values of all files that match, as `textIO.read` reads them: in parallel, compressed or not. Empty lines are left out. What the
 * values are like is not known: say so with a map that checks them.
 *
 * @throws (at run time) UserCodeError for a line that is no JSON
 * @example
 * ```ts
 * p.apply(jsonLines.read("orders/*.jsonl")).apply(map((order) => order as { id: string }));
 * ```
 */
export function read(pattern: string, options?: ReadOptions): PTransform<Pipeline, PCollection<unknown>> {
  return {
    defaultName: "jsonLines.read",
    expand: (p) =>
      p
        .apply(readLines(pattern, options))
        .apply(filter("not empty", (line) => line.trim() !== ""))
        .apply(fromJson("parse")),
  };
}

/**
 * Writes each element as a line of JSON, as `textIO.write` writes lines: whole files or none. Bigints become texts.
 *
 * @throws (at run time) UserCodeError for an element that JSON cannot say
 * @example
 * ```ts
 * orders.apply(jsonLines.write("out/orders", { shards: 4, suffix: ".jsonl.gz" }));
 * ```
 */
export function write<T>(path: string, options?: WriteFilesOptions<T>): PTransform<PCollection<T>, PCollection<string>> {
  return writeFiles("jsonLines.write", path, linesFormat<T>(jsonOf, ".jsonl"), options);
}
