import { createRequire } from "node:module";
import type * as Stringify from "csv-stringify/sync";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { linesFormat } from "../files/lines-format.js";
import { writeFiles } from "../files/write-files.js";
import type { WriteFilesOptions } from "../files/write-target.js";

/** Options of {@link write}. */
export interface CsvWriteOptions<T> extends WriteFilesOptions<T> {
  /** What is between fields; default a comma. */
  readonly delimiter?: string;
  /** Whether the first line of each file names the fields; default true. */
  readonly header?: boolean;
}

/** Loaded when first needed: most pipelines never are. */
function stringifier(): typeof Stringify.stringify {
  return (createRequire(import.meta.url)("csv-stringify/sync") as typeof Stringify).stringify;
}

/**
 * Writes each element as a record with these fields, or those of a schema, in this order; as `textIO.write` writes lines: whole files
 * or none. Null and undefined become empty fields, bytes base64, dates ISO 8601.
 *
 * @example
 * ```ts
 * orders.apply(csv.write("out/orders.csv", ["id", "amount"]));
 * ```
 */
export function write<T extends object>(
  path: string,
  fields: RowSchema<T> | readonly (keyof T & string)[],
  options: CsvWriteOptions<T> = {},
): PTransform<PCollection<T>, PCollection<string>> {
  const { delimiter = ",", header = true, ...files } = options;
  const names = "shape" in fields ? fields.shape.fields.map(({ name }) => name) : [...fields];
  let stringify: typeof Stringify.stringify | undefined;
  const line = (values: readonly unknown[]): string =>
    (stringify ??= stringifier())([values.map(cell)], { delimiter, record_delimiter: "" });
  const toLine = (element: T): string => line(names.map((name) => (element as Record<string, unknown>)[name]));
  return writeFiles("csv.write", path, linesFormat(toLine, ".csv", header ? line(names) : undefined), files);
}

function cell(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  return value;
}
