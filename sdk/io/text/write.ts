import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { linesFormat } from "../files/lines-format.js";
import { writeFiles } from "../files/write-files.js";
import type { WriteFilesOptions } from "../files/write-target.js";

/** Options of {@link write}. */
export interface WriteOptions extends WriteFilesOptions<string> {
  /** First line of every file. */
  readonly header?: string;
}

/**
 * Writes each element as a line. Folders are made as needed; an existing file is replaced, as a whole. The output holds
 * the names of the files, once they are complete. Input that never ends is written window by window, with `windowed`.
 *
 * @throws PipelineError at construction for input that never ends and is not written by windows; (at run time) Error when the target cannot be written
 * @example `lines.apply(textIO.write("out/counts.txt"))`
 * @example
 * ```ts
 * lines.apply(windowInto(fixed(minutes(1)))).apply(textIO.write("out/lines", { windowed: true, suffix: ".txt" }));
 * ```
 */
export function write(path: string, { header, ...options }: WriteOptions = {}): PTransform<PCollection<string>, PCollection<string>> {
  return writeFiles(
    "textIO.write",
    path,
    linesFormat((line: string) => line, "", header),
    options,
  );
}
