// Reading Parquet: one row group in memory at a time, of it the columns that are asked for; rows are made from columns a batch at a time.
import type { AsyncBuffer, Compressors, DecodedArray, FileMetaData, RowGroup } from "hyparquet";
import type { RowSchema } from "../../../portability/schemas/index.js";
import { FileError } from "../files/file-error.js";
import type { OpenFile, RandomAccessFile, ReadFormat } from "../files/file-format.js";
import { fieldsFromStored, needsNoCall, type FromStored } from "../stored/from-stored.js";
import { fromParquetSchema, withoutConversion } from "./parquet-schema.js";

/** Rows made at a time. */
const BATCH_ROWS = 1024;

/** The rows of a schema. */
export function parquetRows<T>(schema: RowSchema<T>): ReadFormat<T> {
  return {
    access: "random",
    async *records(file: OpenFile): AsyncGenerator<T[]> {
      try {
        yield* batches<T>(file, schema);
      } catch (cause) {
        throw cause instanceof FileError
          ? cause
          : new FileError("read", file.path, cause instanceof Error ? cause.message : String(cause), cause);
      }
    },
  };
}

async function* batches<T>(file: RandomAccessFile, schema: RowSchema<T>): AsyncGenerator<T[]> {
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet"); // not needed by most pipelines
  const bytes = asyncBuffer(file);
  const metadata = await undamaged(() => parquetMetadataAsync(bytes, { geoparquet: false }));
  const fields = fieldsFromStored(fromParquetSchema(parquetSchema(metadata)), schema.shape, "");
  const read = await columnReader(bytes, {
    ...metadata,
    schema: metadata.schema.map(withoutConversion),
  });
  const wanted = fields.filter(({ inFile }) => inFile).map(({ name }) => name);
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows);
    const chunks = await undamaged(() => read(group, wanted));
    const columns = fields.map(({ name, convert }) => new Column(name, convert, chunks.get(name) ?? []));
    for (let start = 0; start < count; start += BATCH_ROWS) {
      const rows = Array.from({ length: Math.min(BATCH_ROWS, count - start) }, (): Record<string, unknown> => ({}));
      for (const column of columns) column.fill(rows);
      yield rows as T[];
    }
  }
}

type Chunks = ReadonlyMap<string, readonly DecodedArray[]>;

/** Reads columns of a row group, in the pieces in which they are stored. */
async function columnReader(file: AsyncBuffer, metadata: FileMetaData): Promise<(group: RowGroup, columns: string[]) => Promise<Chunks>> {
  const { parquetRead } = await import("hyparquet");
  const compressors = await decompressors(metadata);
  return async (group, columns) => {
    const chunks = new Map<string, DecodedArray[]>(columns.map((name) => [name, []]));
    await parquetRead({
      file,
      metadata: { ...metadata, row_groups: [group], num_rows: group.num_rows },
      columns,
      compressors,
      utf8: false,
      parsers: { timestampFromNanoseconds: (nanos) => nanos, stringFromBytes: textOf },
      onChunk: ({ columnName, columnData }) => void chunks.get(columnName)?.push(columnData),
    });
    for (const [name, data] of chunks) {
      const rows = data.reduce((sum, { length }) => sum + length, 0);
      if (BigInt(rows) !== group.num_rows) throw new RangeError(`column "${name}" has ${rows} rows of ${group.num_rows}`);
    }
    return chunks;
  };
}

/** hyparquet itself reads snappy alone; the others are loaded when a file has them. */
async function decompressors({ row_groups }: FileMetaData): Promise<Compressors | undefined> {
  const compressed = row_groups.some(({ columns }) => columns.some(({ meta_data }) => meta_data?.codec !== "UNCOMPRESSED"));
  return compressed ? (await import("hyparquet-compressors")).compressors : undefined;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.prototype.utf8Slice.call(bytes, 0, bytes.length);
}

/** The values of a column in its row group, given out in order. */
class Column {
  private chunk = 0;
  private at = 0;

  constructor(
    private readonly name: string,
    private readonly convert: FromStored,
    /** None for a field that is not in the file. */
    private readonly chunks: readonly DecodedArray[],
  ) {}

  /** The next values, as a property of each row. */
  fill(rows: readonly Record<string, unknown>[]): void {
    const { name, convert, chunks } = this;
    if (chunks.length === 0) for (const row of rows) row[name] = convert(undefined);
    for (let row = 0; row < rows.length && this.chunk < chunks.length;) {
      const values = chunks[this.chunk];
      const end = Math.min(rows.length, row + values.length - this.at);
      if (needsNoCall(convert)) for (; row < end; row++) rows[row][name] = values[this.at++] ?? null;
      else for (; row < end; row++) rows[row][name] = convert(values[this.at++]);
      if (this.at < values.length) return;
      this.chunk++;
      this.at = 0;
    }
  }
}

function asyncBuffer(file: RandomAccessFile): AsyncBuffer {
  return {
    byteLength: file.size,
    async slice(start, end = file.size) {
      const bytes = await file.read(start, end);
      if (bytes.byteLength !== end - start) throw new RangeError("the file ends early");
      const { buffer } = bytes;
      const whole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
      return whole ? buffer : new Uint8Array(bytes).buffer;
    },
  };
}

async function undamaged<R>(read: () => Promise<R>): Promise<R> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof FileError) throw cause; // what went wrong outside the file is no damage of it
    throw new Error(`it is damaged, cut off or no Parquet file (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}
