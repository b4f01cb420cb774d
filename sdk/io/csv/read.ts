import { Readable } from "node:stream";
import type { Options as ParseOptions } from "csv-parse";
import { coderOf } from "../../../portability/coders/index.js";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatMap } from "../../transforms/elementwise.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import { withCoder } from "../../transforms/with-coder.js";
import type { FileMetadata } from "../files/file-system.js";
import { matchFiles } from "../files/match-files.js";
import { contentOf } from "../files/open-file.js";
import { rowReader } from "./text-values.js";

/** Options of {@link read}. */
export interface CsvReadOptions {
  /** What is between fields; default a comma. */
  readonly delimiter?: string;
  /** Names of the fields, for files without a first line that has them. */
  readonly columns?: readonly string[];
}

/** One record of a file, as texts by field. */
interface CsvRecord {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

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
      const records = p
        .apply(create("pattern", [pattern]))
        .apply(flatMap("match files", (glob) => matchFiles(glob)))
        .apply(reshuffle("spread files"))
        .apply(flatMap("read records", (file) => recordsOf(file, schema, options), { concurrency: 1 }));
      return schema === undefined ? records : records.apply(withCoder(coderOf(schema)));
    },
  };
}

async function* recordsOf(
  { path }: FileMetadata,
  schema: RowSchema<unknown> | undefined,
  { delimiter = ",", columns }: CsvReadOptions = {},
): AsyncGenerator<unknown> {
  const { parse } = await import("csv-parse"); // not needed by most pipelines
  const settings: ParseOptions = {
    bom: true,
    delimiter,
    columns: columns === undefined ? true : [...columns],
    info: true,
    skip_empty_lines: true,
  };
  const source = Readable.from(copied(contentOf(path)));
  const parser = source.pipe(parse(settings));
  source.on("error", (error) => parser.destroy(error));
  const toRow = schema === undefined ? (record: unknown) => record : rowReader(schema);
  try {
    for await (const each of parser) {
      const { record, info } = each as CsvRecord;
      try {
        yield toRow(record);
      } catch (cause) {
        throw new Error(`line ${info.lines}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
  } catch (cause) {
    throw new Error(`cannot read "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    source.destroy();
  }
}

/** Blocks are reused by who reads them, and a stream keeps some. */
async function* copied(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const block of blocks) yield Buffer.from(block);
}
