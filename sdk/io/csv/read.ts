import { coderOf } from "../../../portability/coders/index.js";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { withCoder } from "../../transforms/with-coder.js";
import { readFiles } from "../files/read-files.js";
import { csvRecords, type CsvReadOptions } from "./csv-records.js";

export type { CsvReadOptions };

/**
 * The records of all files that match, by the names in the first line: as texts, or, with a schema, as its rows. Files are read in
 * parallel, each as a whole, since a field may hold line breaks; `.gz` and `.zst` files are decompressed.
 *
 * @throws (at run time) Error naming file, line and field, for a record that is malformed or does not fit the schema
 * @example
 * ```ts
 * const Order = schema.row({ id: schema.string, amount: schema.double, paid: schema.boolean });
 * p.apply(csv.read("orders/*.csv", Order)).apply(filter(({ paid }) => !paid));
 * ```
 */
export function read(pattern: string, options?: CsvReadOptions): PTransform<Pipeline, PCollection<Record<string, string>>>;
export function read<T>(pattern: string, schema: RowSchema<T>, options?: CsvReadOptions): PTransform<Pipeline, PCollection<T>>;
export function read(
  pattern: string,
  ...args: [RowSchema<unknown>, CsvReadOptions?] | [CsvReadOptions?]
): PTransform<Pipeline, PCollection<unknown>> {
  const [schema, options] = args[0] !== undefined && "shape" in args[0] ? [args[0], args[1]] : [undefined, args[0]];
  return {
    defaultName: "csv.read",
    expand(p) {
      const records = p.apply(readFiles("files", pattern, csvRecords(schema, options), options));
      return schema === undefined ? records : records.apply(withCoder(coderOf(schema)));
    },
  };
}
