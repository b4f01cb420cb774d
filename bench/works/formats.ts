import { createReadStream, createWriteStream, existsSync, mkdirSync } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline as pipe } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import {
  create,
  csv,
  filter,
  flatMap,
  parquet,
  pipeline,
  run,
  schema,
  withCoder,
  coderOf,
  type PCollection,
  type Pipeline,
} from "beamstorm";
import { local } from "beamstorm/local";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { ByteWriter, parquetWriteRows } from "hyparquet-writer";
import { columns, csvChunks, Order, orders, ordersIn } from "../typed-rows.js";
import { expectEqual, type Side, type Work } from "../work.js";

const GROUP_ROWS = 100_000;
const folder = fileURLToPath(new URL("../../../bench/.data/", import.meta.url));
const pathOf = (bytes: number, ending: string): string => `${folder}orders-${bytes}.${ending}`;
const out = (ending: string): string => `${folder}out.${ending}`;

async function prepare(sizes: readonly number[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const bytes of sizes) {
    const csvPath = pathOf(bytes, "csv");
    const parquetPath = pathOf(bytes, "parquet");
    if (existsSync(csvPath) && existsSync(parquetPath)) continue;
    await pipe(Readable.from(csvChunks(ordersIn(bytes))), createWriteStream(`${csvPath}.part`));
    await writeParquet(`${parquetPath}.part`, bytes);
    await rename(`${csvPath}.part`, csvPath);
    await rename(`${parquetPath}.part`, parquetPath);
  }
}

/** As csv.read finds them: instants are numbers there. */
const CsvOrder = schema.row({ ...Object.fromEntries(Order.shape.fields.map(({ name, type }) => [name, type])), at: schema.double });

let count = 0;
let sum = 0;
/** Looks at every row, and lets none through. */
function look(row: Readonly<Record<string, unknown>>): boolean {
  count++;
  sum += row["pieces"] as number;
  return false;
}

async function reads(bytes: number, rows: (p: Pipeline) => PCollection<Readonly<Record<string, unknown>>>): Promise<void> {
  count = sum = 0;
  await run(
    pipeline((p) => rows(p).apply(filter("look", look))),
    {},
    local(),
  );
  expectLooked(bytes);
}

async function writes(bytes: number, path: string, write: (rows: PCollection<Order>) => PCollection<string>): Promise<void> {
  const all = pipeline((p) =>
    write(
      p
        .apply(create(["start"]))
        .apply(flatMap("rows", () => orders(ordersIn(bytes))))
        .apply(withCoder(coderOf(Order))),
    ),
  );
  await run(all, {}, local());
  await expectWritten(bytes, path);
}

function expectLooked(bytes: number): void {
  expectEqual(count, ordersIn(bytes), "rows read");
  if (sum === 0) throw new Error("no value was read");
}

async function expectWritten(bytes: number, path: string): Promise<void> {
  const { size } = await stat(path);
  if (size < bytes / 10) throw new Error(`${path} has ${size} bytes`);
}

async function parseCsv(bytes: number): Promise<void> {
  count = sum = 0;
  const parser = createReadStream(pathOf(bytes, "csv")).pipe(parse({ bom: true, columns: true, info: false }));
  for await (const each of parser) {
    const { id, customer, at, amount, pieces, paid, note } = each as Readonly<Record<string, string>>;
    const row = {
      id: BigInt(id),
      customer,
      at: Number(at),
      amount: Number(amount),
      pieces: Number(pieces),
      paid: paid === "true",
      note: note === "" ? null : note,
    };
    look(row);
  }
  expectLooked(bytes);
}

async function stringifyCsv(bytes: number): Promise<void> {
  const path = out("csv");
  const cast = { boolean: String };
  await pipe(Readable.from(orders(ordersIn(bytes))), stringify({ header: true, columns, cast }), createWriteStream(path));
  await expectWritten(bytes, path);
}

/** One row group at a time, as objects. */
async function readParquet(bytes: number): Promise<void> {
  count = sum = 0;
  const handle = await open(pathOf(bytes, "parquet"));
  const byteLength = (await handle.stat()).size;
  const file = {
    byteLength,
    async slice(start: number, end = byteLength) {
      const { buffer } = await handle.read(new Uint8Array(end - start), 0, end - start, start);
      return buffer.buffer;
    },
  };
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    for (const row of await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd })) look(row);
    rowStart = rowEnd;
  }
  await handle.close();
  expectLooked(bytes);
}

async function writeParquet(path: string, bytes: number): Promise<void> {
  const types = {
    id: "INT64",
    customer: "STRING",
    at: "TIMESTAMP",
    amount: "DOUBLE",
    pieces: "INT32",
    paid: "BOOLEAN",
    note: "STRING",
  } as const;
  const file = await open(path, "w");
  const writer = Object.assign(new ByteWriter(), {
    async flush() {
      await file.appendFile(writer.getBytes());
      writer.index = 0;
    },
    finish: () => writer.flush(),
  });
  const specs = Object.entries(types).map(([name, type]) => ({ name, type, nullable: name === "note" }));
  await parquetWriteRows({ writer, rows: orders(ordersIn(bytes)), columns: specs, rowGroupSize: GROUP_ROWS });
  await file.close();
}

const pairs: readonly [Side, Side][] = [
  [
    { name: "CSV read", run: (bytes) => reads(bytes, (p) => p.apply(csv.read(pathOf(bytes, "csv"), CsvOrder))) },
    { name: "csv-parse", run: parseCsv },
  ],
  [
    { name: "CSV write", run: (bytes) => writes(bytes, out("csv"), (rows) => rows.apply(csv.write(out("csv"), Order))) },
    { name: "csv-stringify", run: stringifyCsv },
  ],
  [
    { name: "Parquet read", run: (bytes) => reads(bytes, (p) => p.apply(parquet.read(pathOf(bytes, "parquet"), Order))) },
    { name: "hyparquet", run: readParquet },
  ],
  [
    { name: "Parquet write", run: (bytes) => writes(bytes, out("parquet"), (rows) => rows.apply(parquet.write(out("parquet"), Order))) },
    { name: "hyparquet-writer", run: (bytes) => writeParquet(out("parquet"), bytes) },
  ],
];

export const work: Work = {
  title: "rows of seven columns read from and written to files by a pipeline, and by the bare library; sizes are those as CSV",
  unit: "bytes",
  target: "70 % of the bare library",
  size: 200_000_000,
  quickSize: 50_000_000,
  warmUpSize: 5_000_000,
  prepare,
  sides: pairs.flatMap(([ours, bare]) => [ours, { ...bare, peerOf: ours.name }]),
};
