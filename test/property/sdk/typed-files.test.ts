// Avro and Parquet give back every row of every schema, however it is cut into blocks and row groups.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { local } from "../../../local/index.js";
import {
  avro,
  create,
  map,
  parquet,
  pipeline,
  run,
  schema as schemas,
  type PCollection,
  type Pipeline,
  type RowSchema,
} from "../../../sdk/index.js";
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
  readonly read: <T>(schema: RowSchema<T>) => ReadFormat<T>;
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
  let folder: string;
  let files = 0;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-typed-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  async function collected<T>(build: (p: Pipeline) => PCollection<T>): Promise<T[]> {
    const found: T[] = [];
    const keep = pipeline((p) => build(p).apply(map("keep", (value) => void found.push(value))));
    await run(keep, {}, local());
    return found;
  }

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

  for (const [name, { read, write }] of Object.entries({ avro, parquet }))
    it(`give back the rows of a pipeline, whatever the number of shards: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(anyRows, fc.constantFrom(undefined, 1, 3), async ({ schema, rows }, shards) => {
          const path = join(folder, `${name}-${files++}`);
          const written = await collected((p) => p.apply(create(rows)).apply(write(path, schema, { shards })));
          const ending = (shard: number): string => `-0000${shard}-of-0000${shards}.${name}`;
          assert.deepEqual(written.sort(), shards === undefined ? [path] : Array.from({ length: shards }, (_, i) => path + ending(i)));
          const back = await collected((p) => p.apply(read(`${path}*`, schema)));
          assert.deepEqual(back.map(fc.stringify).sort(), rows.map(fc.stringify).sort());
        }),
        { numRuns: 30 },
      );
      assert.deepEqual(
        (await readdir(folder)).filter((each) => each.startsWith(".")),
        [],
      );
    });

  it("are whole or not there", async () => {
    const Row = schemas.row({ price: schemas.decimal });
    const path = join(folder, "half.parquet");
    await assert.rejects(
      collected((p) => p.apply(create([1, 10].map((scale) => ({ price: { unscaled: 1n, scale } })))).apply(parquet.write(path, Row))),
      /cannot write ".*half\.parquet": field "price": 1e-10 does not fit/,
    );
    assert.deepEqual(
      (await readdir(folder)).filter((each) => each.includes("half")),
      [],
    );
  });
});
