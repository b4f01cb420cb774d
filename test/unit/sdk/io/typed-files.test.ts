// Avro and Parquet between ours and other writers and readers, and what is said of files and values that do not fit.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import avsc from "avsc";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import type { ReadFormat, WriteFormat } from "../../../../sdk/io/files/file-format.js";
import { FileError } from "../../../../sdk/io/files/file-error.js";
import { fromAvroSchema } from "../../../../sdk/io/avro/avro-schema.js";
import { avroRows } from "../../../../sdk/io/avro/read.js";
import { avroFormat } from "../../../../sdk/io/avro/write.js";
import { parquetRows } from "../../../../sdk/io/parquet/read.js";
import { parquetFormat } from "../../../../sdk/io/parquet/write.js";
import { PipelineError, schema, type RowSchema } from "../../../../sdk/index.js";
import { bytesOf, recordsIn } from "../../../support/memory-file.js";

const fixture = (name: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../../../fixtures/typed-files/${name}`, import.meta.url)));
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const micros = (text: string, fraction: number) => ({ seconds: BigInt(Date.parse(`${text}Z`) / 1000), micros: BigInt(fraction) });

/** What the files of other writers hold in both formats. */
const common = {
  id: schema.int64,
  small: schema.byte,
  name: schema.nullable(schema.string),
  price: schema.double,
  at: schema.nullable(schema.microsInstant),
  day: schema.nullable(schema.date),
  amount: schema.nullable(schema.decimal),
  blob: schema.nullable(schema.bytes),
  tags: schema.nullable(schema.array(schema.nullable(schema.string))),
  place: schema.nullable(schema.row({ x: schema.nullable(schema.int32), y: schema.nullable(schema.string) })),
};
const commonRows = [
  {
    id: 1n,
    small: -128,
    name: "schön 😀",
    price: NaN,
    at: micros("2026-01-02T03:04:05", 678901),
    day: 20455,
    amount: { unscaled: 1234n, scale: 2 },
    blob: bytes(0, 255),
    tags: ["a", null],
    place: { x: 1, y: null },
  },
  {
    id: -(2n ** 63n),
    small: 0,
    name: "",
    price: -0,
    at: micros("1969-12-31T23:59:59", 999999),
    day: -1,
    amount: { unscaled: -1n, scale: 2 },
    blob: bytes(),
    tags: [],
    place: { x: null, y: "z" },
  },
  { id: 2n ** 63n - 1n, small: 127, name: null, price: Infinity, at: null, day: null, amount: null, blob: null, tags: null, place: null },
];

describe("Avro and Parquet files", () => {
  for (const [name, format] of [
    ["Avro", avroRows(schema.row(common))],
    ["Parquet", parquetRows(schema.row(common))],
  ] as const)
    it(`do not seem damaged when their store fails: ${name}`, async () => {
      const failure = new FileError("read", "s3://b/x", "the store does not answer", undefined);
      const fail = (): Promise<never> => Promise.reject(failure);
      const blocks = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(2);
        await fail();
      };
      const reading = format.records({ path: "s3://b/x", size: 1000, read: fail, blocks })[Symbol.asyncIterator]().next();
      await assert.rejects(reading, (error) => error === failure);
    });
});

describe("Avro files", () => {
  for (const codec of ["null", "deflate", "snappy"])
    it(`of fastavro are read: ${codec}`, async () => {
      const wanted = schema.row({
        ...common,
        kind: schema.string,
        again: schema.string,
        hash: schema.fixedBytes(4),
        counts: schema.map(schema.string, schema.int64),
        absent: schema.nullable(schema.double),
      });
      const more = [
        { kind: "NEW", counts: new Map(Object.entries({ a: 1n, ["__proto__"]: 2n })) },
        { kind: "OLD", counts: new Map() },
        { kind: "NEW", counts: new Map() },
      ].map((each) => ({ ...each, again: "OLD", hash: bytes(97, 98, 99, 100), absent: null }));
      assert.deepEqual(
        await recordsIn(avroRows(wanted), await fixture(`fastavro-${codec}.avro`)),
        commonRows.map((row, i) => ({ ...row, ...more[i] })),
      );
    });

  it("of ours are read by avsc alone, with blocks, codec and logical types", async () => {
    const Row = schema.row({
      n: schema.int32,
      at: schema.millisInstant,
      note: schema.nullable(schema.string),
      counts: schema.map(schema.string, schema.int32),
    });
    const rows = Array.from({ length: 5000 }, (_, n) => ({
      n,
      at: n * 1000,
      note: n % 2 === 0 ? null : `note ${n}`,
      counts: new Map([["n", n]]),
    }));
    const file = await bytesOf(avroFormat(Row, { name: "Note" }), rows);
    const decoder = Readable.from([file]).pipe(new avsc.streams.BlockDecoder());
    let declared: { name?: string } = {};
    let blocks = 0;
    decoder.on("metadata", (type: { name?: string }) => (declared = type)).on("block", () => blocks++);
    const found: unknown[] = [];
    for await (const each of decoder) found.push({ ...(each as object) });
    assert.deepEqual(
      found,
      rows.map((row) => ({ ...row, counts: { n: row.n } })),
    );
    assert.equal(declared.name, "Note");
    assert.ok(blocks > 1, `${blocks} blocks`);
    assert.match(file.toString("latin1"), /"logicalType":"timestamp-millis"/);
  });

  it("hold records that are larger than a block", async () => {
    const Row = schema.row({ text: schema.string });
    const rows = ["", "x".repeat(300_000), "y", "z".repeat(100_000)].map((text) => ({ text }));
    assert.deepEqual(await recordsIn(avroRows(Row), await bytesOf(avroFormat(Row, { codec: "null" }), rows), "memory", 4096), rows);
  });

  it("whose compressed blocks have another checksum are refused", async () => {
    const file = await fixture("fastavro-snappy.avro");
    file[file.length - 17]++; // before the marker at the end
    await assert.rejects(recordsIn(avroRows(schema.row(common)), file, "a.avro"), /cannot read "a\.avro": it is damaged.+checksum/);
  });

  it("that are cut off are refused by name, or end with the last whole block", async () => {
    const Row = schema.row({ text: schema.string });
    const rows = Array.from({ length: 3 }, (_, i) => ({ text: `${i}`.repeat(40_000) }));
    const file = await bytesOf(avroFormat(Row, { codec: "deflate" }), rows);
    for (let length = 0; length < file.length; length++)
      try {
        const found = await recordsIn(avroRows(Row), file.subarray(0, length), "cut.avro", 4096);
        assert.deepEqual(found, rows.slice(0, found.length));
        assert.ok(found.length < rows.length);
      } catch (error) {
        assert.match(String(error), /^FileError: cannot read "cut\.avro": it is damaged, cut off or no Avro file \(.+\)$/);
      }
  });

  it("with a codec that is not read say so", async () => {
    const file = Buffer.from('Obj\x01\x04\x16avro.schema\x0c"null"\x14avro.codec\x0czigzag\x000123456789abcdef', "latin1");
    await assert.rejects(recordsIn(avroRows(schema.row(common)), file, "a.avro"), {
      message: 'cannot read "a.avro": its codec is zigzag; null, deflate and snappy are read',
    });
  });

  it("have names in the namespace of what is around them", () => {
    const place = { type: "record", name: "Place", fields: [{ name: "x", type: "int" }] };
    const inner = {
      type: "record",
      name: "other.Inner",
      fields: [
        { name: "a", type: { ...place, fields: [] } },
        { name: "b", type: "Place" },
      ],
    };
    const { type } = fromAvroSchema({
      type: "record",
      name: "Outer",
      namespace: "shop",
      fields: [
        { name: "first", type: place },
        { name: "inner", type: inner },
        { name: "again", type: "Place" },
        { name: "other", type: "other.Place" },
        { name: "unknown", type: "Nothing" },
      ],
    });
    assert.deepEqual(type, {
      kind: "row",
      fields: [
        { name: "first", type: { kind: "row", fields: [{ name: "x", type: { kind: "int32" }, nullable: false }] }, nullable: false },
        {
          name: "inner",
          type: {
            kind: "row",
            fields: [
              { name: "a", type: { kind: "row", fields: [] }, nullable: false },
              { name: "b", type: { kind: "row", fields: [] }, nullable: false },
            ],
          },
          nullable: false,
        },
        { name: "again", type: { kind: "row", fields: [{ name: "x", type: { kind: "int32" }, nullable: false }] }, nullable: false },
        { name: "other", type: { kind: "row", fields: [] }, nullable: false },
        { name: "unknown", type: { kind: "other", name: "Nothing" }, nullable: false },
      ],
    });
  });

  it("have names that Avro allows", () => {
    assert.throws(() => avroFormat(schema.row({ "a b": schema.string })), bad(/"a b" is no name for a field in Avro/));
  });
});

describe("Parquet files", () => {
  const wanted = schema.row({
    ...common,
    count: schema.int64,
    nanos: schema.nullable(schema.timestamp(9)),
    counts: schema.nullable(schema.map(schema.string, schema.int64)),
    absent: schema.nullable(schema.double),
  });
  const more = [
    {
      count: 4294967295n,
      nanos: { seconds: 0n, subseconds: 1 },
      counts: new Map(Object.entries({ a: 1n, ["__proto__"]: 2n })),
      absent: null,
    },
    { count: 0n, nanos: { seconds: -1n, subseconds: 999_999_999 }, counts: new Map(), absent: null },
    { count: 1n, nanos: null, counts: null, absent: null },
  ];
  for (const name of ["arrow-snappy", "arrow-zstd-v2", "arrow-int96"])
    it(`of Arrow are read: ${name}`, async () => {
      assert.deepEqual(
        await recordsIn(parquetRows(wanted), await fixture(`${name}.parquet`)),
        commonRows.map((row, i) => ({ ...row, ...more[i] })),
      );
    });

  it("of ours are read by hyparquet alone, with logical types", async () => {
    const Row = schema.row({
      n: schema.int64,
      at: schema.millisInstant,
      note: schema.nullable(schema.string),
      tags: schema.array(schema.string),
    });
    const rows = Array.from({ length: 10 }, (_, n) => ({
      n: BigInt(n),
      at: n * 1000,
      note: n % 2 === 0 ? null : `${n}`,
      tags: ["x", `${n}`],
    }));
    const file = await bytesOf(parquetFormat(Row, { rowGroupRows: 4 }), rows);
    const { buffer } = new Uint8Array(file);
    assert.deepEqual(
      await parquetReadObjects({ file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) } }),
      rows.map((row) => ({ ...row, at: new Date(row.at) })),
    );
    const { row_groups } = parquetMetadata(buffer);
    assert.deepEqual(
      row_groups.map(({ num_rows }) => num_rows),
      [4n, 4n, 2n],
    );
  });

  it("begin a new row group before their values take too much memory", async () => {
    const Row = schema.row({ text: schema.string });
    const text = "x".repeat(16 * 1024 * 1024);
    const file = await bytesOf(parquetFormat(Row), [{ text }, { text }, { text }, { text }, { text }]);
    assert.equal(parquetMetadata(file).row_groups.length, 2);
  });

  it("are read no further than the wanted columns and row groups", async () => {
    const Row = schema.row({ n: schema.int32, text: schema.string });
    const rows = Array.from({ length: 2000 }, (_, n) => ({ n, text: `${n}`.repeat(2000) }));
    const file = await bytesOf(parquetFormat(Row, { compression: "none", rowGroupRows: 1000 }), rows);
    let read = 0;
    const source = {
      path: "memory",
      size: file.length,
      read(start: number, end: number) {
        read += end - start;
        return Promise.resolve(file.subarray(start, end));
      },
      blocks: () => assert.fail("not read in order"),
    };
    const records = parquetRows(schema.row({ n: schema.int32 }))
      .records(source)
      [Symbol.asyncIterator]();
    assert.equal(((await records.next()).value as { n: number }[])[0].n, 0);
    const first = read;
    let last: readonly { n: number }[] = [];
    for (let next = await records.next(); next.done !== true; next = await records.next()) last = next.value;
    assert.equal(last.at(-1)?.n, 1999);
    assert.ok(first < read, "the second row group is read later");
    assert.ok(read < file.length / 10, `${read} of ${file.length} bytes`);
  });

  it("that are cut off are refused by name, wherever that is", async () => {
    const file = await fixture("arrow-snappy.parquet");
    for (let length = 0; length < file.length; length += 13)
      await assert.rejects(recordsIn(parquetRows(wanted), file.subarray(0, length), "cut.parquet"), {
        message: /^cannot read "cut\.parquet": it is damaged, cut off or no Parquet file \(.+\)$/,
      });
  });
});

const both: readonly {
  readonly name: string;
  readonly write: <T>(s: RowSchema<T>) => WriteFormat<T>;
  readonly read: <T>(s: RowSchema<T>) => ReadFormat<T>;
}[] = [
  { name: "avro", write: avroFormat, read: avroRows },
  { name: "parquet", write: parquetFormat, read: parquetRows },
];

for (const { name, write, read } of both)
  describe(`${name} files and schemas`, () => {
    const Written = schema.row({ n: schema.int32, f: schema.float, text: schema.nullable(schema.string), at: schema.timestamp(9) });
    const row = { n: 300, f: 0.5, text: null, at: { seconds: -1n, subseconds: 999_999_999 } };

    it("may be empty", async () => {
      assert.deepEqual(await recordsIn(read(Written), await bytesOf(write(Written), [])), []);
    });

    it("may differ: numbers are widened, instants cut, fields left out", async () => {
      const Read = schema.row({ at: schema.millisInstant, f: schema.double, n: schema.int64 });
      assert.deepEqual(await recordsIn(read(Read), await bytesOf(write(Written), [row])), [{ at: -1, f: 0.5, n: 300n }]);
      const AsFloat = schema.row({ n: schema.float });
      assert.deepEqual(await recordsIn(read(AsFloat), await bytesOf(write(Written), [row])), [{ n: 300 }]);
      const AsDouble = schema.row({ n: schema.double });
      assert.deepEqual(await recordsIn(read(AsDouble), await bytesOf(write(Written), [row])), [{ n: 300 }]);
    });

    const mismatches: [string, RowSchema<unknown>, RegExp][] = [
      ["a field that is not there", schema.row({ m: schema.int32 }), /field "m" is not in the file; there are n, f, text, at$/],
      [
        "a field of another type",
        schema.row({ text: schema.int64 }),
        /field "text" is string in the file, which cannot be read as the schema's int64$/,
      ],
      [
        "an instant that is to be a date",
        schema.row({ at: schema.date }),
        /field "at" is an instant in nanos in the file, .* the schema's date$/,
      ],
      [
        "a null that may not be",
        schema.row({ text: schema.string }),
        /field "text" is null, which the schema does not allow; make it nullable there$/,
      ],
      ["a number out of range", schema.row({ n: schema.byte }), /field "n": expected a whole number from -128 to 127, got 300$/],
    ];
    for (const [what, Read, message] of mismatches)
      it(`name file and field of ${what}`, async () => {
        const file = await bytesOf(write(Written), [row]);
        await assert.rejects(recordsIn(read(Read), file, "some file"), (error: Error) => {
          assert.ok(error.message.startsWith('cannot read "some file": '), error.message);
          assert.match(error.message, message);
          return true;
        });
      });

    const wrong: [string, Record<string, unknown>, RegExp][] = [
      ["a text for a number", { n: "1" }, /^field "n": expected a whole number from .* to .*, got "1"$/],
      ["a null that may not be", { f: null }, /^field "f": expected a number, got null$/],
      ["a field that is missing", { n: undefined }, /^field "n": expected a whole number/],
    ];
    for (const [what, fields, message] of wrong)
      it(`name the field of ${what} when it is written`, async () => {
        await assert.rejects(bytesOf(write(Written), [{ ...row, ...fields } as typeof row]), { message });
      });

    it("name the inner field of a value that does not fit when it is written", async () => {
      const Nested = schema.row({ orders: schema.array(schema.row({ price: schema.decimal })) });
      const orders = [{ price: { unscaled: 1n, scale: 10 } }];
      await assert.rejects(bytesOf(write(Nested), [{ orders }]), {
        message: 'field "orders.price": 1e-10 does not fit decimals of 38 digits, 9 behind the point',
      });
    });

    it("refuse at once what a file cannot hold", () => {
      assert.throws(
        () => write(schema.row({ m: schema.map(schema.nullable(schema.string), schema.int32) })),
        bad(/field "m" is a map with keys that may be null/),
      );
      assert.throws(() => write(schema.row({ r: schema.row({}) })), bad(/"r" is a row without fields/));
    });

    it("keep a decimal's value at the scale of the file", async () => {
      const Price = schema.row({ price: schema.decimal });
      await fc.assert(
        fc.asyncProperty(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 9 }), async (unscaled, scale) => {
          const [found] = await recordsIn(read(Price), await bytesOf(write(Price), [{ price: { unscaled, scale } }]));
          assert.deepEqual(found, { price: { unscaled: unscaled * 10n ** BigInt(9 - scale), scale: 9 } });
        }),
        { numRuns: 50 },
      );
    });
  });

function bad(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof PipelineError && error.code === "bad_schema" && message.test(error.message);
}
