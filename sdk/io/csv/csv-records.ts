// Reading CSV: csv-parse finds the fields; which of them a row has, and of which types, is found out once for a file. Records come as bare
// lists of texts, since objects with their place in the file would cost more than finding the fields: a line is looked for when it is asked.
import { Readable } from "node:stream";
import type { Options as ParseOptions } from "csv-parse";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { OpenFile, ReadFormat } from "../files/file-format.js";
import type { WatchOption } from "../files/found-files.js";
import { rowReader, textReader, type FromTexts } from "./text-values.js";

/** How the fields of a file are found and named. */
export interface CsvReadOptions extends WatchOption {
  /** What is between fields; default a comma. */
  readonly delimiter?: string;
  /** Names of the fields, for files without a first line that has them. */
  readonly columns?: readonly string[];
}

/** Rows given out at a time. */
const BATCH_ROWS = 256;

/** The rows of a schema, or records of texts. */
export function csvRecords(schema: RowSchema<unknown> | undefined, { delimiter = ",", columns }: CsvReadOptions = {}): ReadFormat<unknown> {
  const settings: ParseOptions = { bom: true, delimiter, skip_empty_lines: true };
  const readerOf = schema === undefined ? textReader : rowReader(schema);

  async function* rows(file: OpenFile): AsyncGenerator<unknown[]> {
    let toRow = columns === undefined ? undefined : sameLength(readerOf(columns), columns.length);
    let batch: unknown[] = [];
    let record = 0;
    for await (const texts of records<readonly string[]>(file, settings)) {
      record++;
      if (toRow === undefined) toRow = readerOf(texts);
      else
        try {
          batch.push(toRow(texts));
        } catch (cause) {
          throw new Error(`line ${await lineOf(file, settings, record)}: ${messageOf(cause)}`, { cause });
        }
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  return {
    access: "stream",
    async *records(file) {
      try {
        yield* rows(file);
      } catch (cause) {
        throw new Error(`cannot read "${file.path}": ${messageOf(cause)}`, { cause });
      }
    },
  };
}

/** What csv-parse makes of a file. */
async function* records<R>(file: OpenFile, settings: ParseOptions): AsyncGenerator<R> {
  const { parse } = await import("csv-parse"); // not needed by most pipelines
  const source = Readable.from(copied(file.blocks()));
  const parser = source.pipe(parse(settings));
  source.on("error", (error) => parser.destroy(error));
  try {
    yield* parser as AsyncIterable<R>;
  } finally {
    source.destroy();
  }
}

/** The line on which a record ends, from 1. */
async function lineOf(file: OpenFile, settings: ParseOptions, record: number): Promise<number> {
  for await (const { info } of records<{ readonly info: { readonly lines: number } }>(file, { ...settings, info: true }))
    if (--record === 0) return info.lines;
  return 0;
}

/** csv-parse compares records with the first, which here is compared with the names that were given. */
function sameLength(toRow: FromTexts, length: number): FromTexts {
  return (texts) => {
    if (texts.length !== length) throw new RangeError(`Invalid Record Length: there are ${length} columns and ${texts.length} fields`);
    return toRow(texts);
  };
}

/** Blocks are reused by who reads them, and a stream keeps some. */
async function* copied(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const block of blocks) yield Buffer.from(block);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
