// Parquet files: rows by column, with a schema in the file. hyparquet and hyparquet-writer know the encoding.
import { coderOf } from "../../../portability/coders/index.js";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { withCoder } from "../../transforms/with-coder.js";
import type { WatchOption } from "../files/found-files.js";
import { readFiles } from "../files/read-files.js";
import { writeFiles } from "../files/write-files.js";
import type { WriteFilesOptions } from "../files/write-target.js";
import { parquetRows } from "./read.js";
import { parquetFormat, type ParquetFormatOptions } from "./write.js";

export type { DecimalSize } from "../stored/decimals.js";

/** Options of {@link write}. */
export interface ParquetWriteOptions<T> extends ParquetFormatOptions, Omit<WriteFilesOptions<T>, "compression"> {}

/**
 * The rows of all files that match. The schema in the file says what is there: columns are matched by name, those not asked for are not
 * read, one that is not there is null if it may be; int32 becomes int64 or double where the schema has that, and finer instants are cut
 * to what the schema holds. Files are read in parallel, of each one row group at a time.
 *
 * @throws (at run time) Error naming file and field, for one that does not fit; naming the file, for one that is damaged or no Parquet
 * @example
 * ```ts
 * const Order = schema.row({ id: schema.int64, at: schema.millisInstant, note: schema.nullable(schema.string) });
 * p.apply(parquet.read("orders/*.parquet", Order)).apply(filter(({ id }) => id > 100n));
 * ```
 */
export function read<T>(pattern: string, schema: RowSchema<T>, options?: WatchOption): PTransform<Pipeline, PCollection<T>> {
  return {
    defaultName: "parquet.read",
    expand: (p) => p.apply(readFiles("files", pattern, parquetRows(schema), options)).apply(withCoder(coderOf(schema))),
  };
}

/**
 * Writes each element as a row of the schema: whole files or none. Dates, instants and decimals get Parquet's logical types. The output
 * holds the names of the files, once they are complete.
 *
 * @throws (at run time) Error naming the field of a value that does not fit
 * @example
 * ```ts
 * orders.apply(parquet.write("out/orders.parquet", Order));
 * ```
 */
export function write<T>(
  path: string,
  schema: RowSchema<T>,
  { compression, rowGroupRows, decimal, ...files }: ParquetWriteOptions<T> = {},
): PTransform<PCollection<T>, PCollection<string>> {
  const format = parquetFormat(schema, { compression, rowGroupRows, decimal });
  return {
    defaultName: "parquet.write",
    expand: (input) => input.apply(withCoder(coderOf(schema))).apply(writeFiles("files", path, format, files)),
  };
}
