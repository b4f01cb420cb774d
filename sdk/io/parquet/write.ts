// Writing Parquet: values are gathered by column, and a row group is encoded and handed on whenever it is full.
import { gzipSync } from "node:zlib";
import type { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { ByteSink, RecordWriter, WriteFormat } from "../files/file-format.js";
import { checkDecimalSize, DEFAULT_DECIMAL, type DecimalSize } from "../stored/decimals.js";
import type { StoredType } from "../stored/stored-type.js";
import { toStored, type Storage } from "../stored/to-stored.js";
import { toParquetSchema } from "./parquet-schema.js";

/** How rows are written. */
export interface ParquetFormatOptions {
  /** Compression of pages; default "snappy". */
  readonly compression?: "none" | "snappy" | "gzip";
  /** Rows of a row group, at most; default 100 000. A group also ends when its values take some 64 MB. */
  readonly rowGroupRows?: number;
  /** Size of all decimals; default 38 digits, 9 of them behind the point. A value that it cannot hold exactly is an error. */
  readonly decimal?: DecimalSize;
}

interface Target {
  readonly fields: readonly (Storage & { readonly name: string })[];
  readonly codec: "UNCOMPRESSED" | "SNAPPY" | "GZIP";
  readonly rowGroupRows: number;
}

/** Of the values of a row group, roughly. */
const GROUP_BYTES = 64 * 1024 * 1024;
const CODEC = { none: "UNCOMPRESSED", snappy: "SNAPPY", gzip: "GZIP" } as const;

/** @throws PipelineError at once, for types that Parquet does not have */
export function parquetFormat<T>(schema: RowSchema<T>, options: ParquetFormatOptions = {}): WriteFormat<T> {
  const { compression = "snappy", rowGroupRows = 100_000, decimal = DEFAULT_DECIMAL } = options;
  checkDecimalSize(decimal);
  if (!(Number.isSafeInteger(rowGroupRows) && rowGroupRows > 0))
    throw new RangeError(`rowGroupRows must be a whole number above 0, not ${rowGroupRows}`);
  const { fields } = schema.shape;
  const storage = fields.map(({ name, type }) => ({ name, ...toStored(type, name, { decimal, decimalBytes: false }) }));
  toParquetSchema(storage);
  const target: Target = { fields: storage, codec: CODEC[compression], rowGroupRows };
  return { parts: "whole", suffix: ".parquet", open: (sink) => new RowGroupWriter(sink, target) };
}

class RowGroupWriter<T> implements RecordWriter<T> {
  private columns: unknown[][];
  private bytes = 0;
  private readonly sizes: readonly ((value: unknown) => number)[];
  private encoder: { readonly buffer: ByteWriter; readonly file: ParquetWriter } | undefined;

  constructor(
    private readonly sink: ByteSink,
    private readonly target: Target,
  ) {
    this.columns = target.fields.map(() => []);
    this.sizes = target.fields.map(({ type }) => (FIXED.has(type.kind) ? () => 8 : sizeOf));
  }

  write(record: T): void | Promise<void> {
    const { fields, rowGroupRows } = this.target;
    const { columns, sizes } = this;
    // All values first: a row that fails must not be there in part.
    const values = fields.map(({ name, convert }) => convert((record as Record<string, unknown>)[name]));
    for (let i = 0; i < values.length; i++) {
      columns[i].push(values[i]);
      this.bytes += sizes[i](values[i]);
    }
    if (columns[0].length >= rowGroupRows || this.bytes >= GROUP_BYTES) return this.flush();
  }

  async finish(): Promise<void> {
    await this.flush();
    const { file, buffer } = await this.opened();
    await file.finish();
    await this.handOn(buffer);
  }

  private async flush(): Promise<void> {
    const rows = this.columns[0].length;
    if (rows === 0) return;
    const { file, buffer } = await this.opened();
    const columnData = this.target.fields.map(({ name }, i) => ({ name, data: this.columns[i] }));
    await file.write({ columnData, rowGroupSize: rows });
    this.columns = this.target.fields.map(() => []);
    this.bytes = 0;
    await this.handOn(buffer);
  }

  private async handOn(buffer: ByteWriter): Promise<void> {
    await this.sink.write(buffer.getBytes());
    buffer.index = 0;
  }

  private async opened(): Promise<{ readonly buffer: ByteWriter; readonly file: ParquetWriter }> {
    if (this.encoder !== undefined) return this.encoder;
    const { ByteWriter, ParquetWriter } = await import("hyparquet-writer"); // not needed by most pipelines
    const buffer = new ByteWriter();
    const { fields, codec } = this.target;
    const file = new ParquetWriter({
      writer: buffer,
      schema: toParquetSchema(fields),
      codec,
      compressors: { GZIP: (page) => gzipSync(page) },
      createdBy: "beamstorm",
    });
    return (this.encoder = { buffer, file });
  }
}

const FIXED: ReadonlySet<StoredType["kind"]> = new Set(["boolean", "int32", "int64", "float", "double", "date", "instant"]);

/** Bytes in memory, roughly. */
function sizeOf(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length + 16;
  if (typeof value !== "object" || value === null) return 8;
  let sum = 16;
  for (const part of Object.values(value)) sum += sizeOf(part);
  return sum;
}
