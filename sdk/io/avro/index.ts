// Avro object container files: records with a schema in the file. avsc knows the encoding.
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
import { avroRows } from "./read.js";
import { avroFormat, type AvroFormatOptions } from "./write.js";

export type { DecimalSize } from "../stored/decimals.js";

/** Options of {@link write}. */
export interface AvroWriteOptions<T> extends AvroFormatOptions, Omit<WriteFilesOptions<T>, "compression"> {}

/**
 * The records of all files that match, as rows of the schema. The schema in the file says what is there: fields are matched by name,
 * those not asked for are left out, one that is not there is null if it may be; int becomes int64 or double where the schema has that,
 * and finer instants are cut to what the schema holds. Files are read in parallel, each as a whole; codecs null, deflate and snappy are read.
 *
 * @throws (at run time) Error naming file and field, for one that does not fit; naming the file, for one that is damaged or no Avro
 * @example
 * ```ts
 * const Order = schema.row({ id: schema.int64, at: schema.millisInstant, note: schema.nullable(schema.string) });
 * p.apply(avro.read("orders/*.avro", Order)).apply(filter(({ id }) => id > 100n));
 * ```
 */
export function read<T>(pattern: string, schema: RowSchema<T>, options?: WatchOption): PTransform<Pipeline, PCollection<T>> {
  return {
    defaultName: "avro.read",
    expand: (p) => p.apply(readFiles("files", pattern, avroRows(schema), options)).apply(withCoder(coderOf(schema))),
  };
}

/**
 * Writes each element as a record of the schema: whole files or none. Dates, instants and decimals get Avro's logical types; maps whose
 * keys are not strings become arrays of entries. The output holds the names of the files, once they are complete.
 *
 * @throws PipelineError at once, for names that Avro does not allow; (at run time) Error naming the field of a value that does not fit
 * @example
 * ```ts
 * orders.apply(avro.write("out/orders.avro", Order));
 * ```
 */
export function write<T>(
  path: string,
  schema: RowSchema<T>,
  { codec, name, decimal, ...files }: AvroWriteOptions<T> = {},
): PTransform<PCollection<T>, PCollection<string>> {
  const format = avroFormat(schema, { codec, name, decimal });
  return {
    defaultName: "avro.write",
    expand: (input) => input.apply(withCoder(coderOf(schema))).apply(writeFiles("files", path, format, files)),
  };
}
