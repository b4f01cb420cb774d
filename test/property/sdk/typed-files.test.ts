// Avro and Parquet give back every row of every schema, however it is cut into blocks and row groups.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { RowSchema } from "../../../sdk/index.js";
import type { ReadFormat, WriteFormat } from "../../../sdk/io/files/file-format.js";
import { avroRows } from "../../../sdk/io/avro/read.js";
import { avroFormat } from "../../../sdk/io/avro/write.js";
import { parquetRows } from "../../../sdk/io/parquet/read.js";
import { parquetFormat } from "../../../sdk/io/parquet/write.js";
import { bytesOf, recordsIn } from "../../support/memory-file.js";
import { anyRows } from "./any-rows.js";

interface Format {
  readonly name: string;
  readonly write: <T>(schema: RowSchema<T>) => WriteFormat<T>;
  readonly read: <T>(schema: RowSchema<T>) => ReadFormat<T[]>;
}

const formats: readonly Format[] = [
  { name: "avro, deflated", write: (schema) => avroFormat(schema), read: avroRows },
  { name: "avro, not compressed", write: (schema) => avroFormat(schema, { codec: "null" }), read: avroRows },
  ...(["none", "snappy", "gzip"] as const).map((compression) => ({
    name: `parquet, ${compression}`,
    write: <T>(schema: RowSchema<T>) => parquetFormat(schema, { compression, rowGroupRows: 3 }),
    read: parquetRows,
  })),
];

describe("typed files", () => {
  for (const { name, write, read } of formats)
    it(`give back what was written: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(anyRows, async ({ schema, rows }) => {
          const bytes = await bytesOf(write(schema), rows);
          assert.deepEqual(await recordsIn(read(schema), bytes), rows);
        }),
        { numRuns: 300 },
      );
    });
});
