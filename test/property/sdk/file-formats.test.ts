// What is written to a file comes back from it, whatever it is and however it is compressed and cut into shards.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { local } from "../../../local/index.js";
import { create, csv, jsonLines, map, pipeline, run, schema, textIO, type PCollection, type Pipeline } from "../../../sdk/index.js";

const Row = schema.row({
  id: schema.int64,
  name: schema.string,
  price: schema.double,
  count: schema.int32,
  paid: schema.boolean,
  note: schema.nullable(schema.string),
  blob: schema.bytes,
});

const row = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  name: fc.oneof(fc.string(), fc.constantFrom('a "quoted", one', "two\nlines", "\r\n", " spaces ", "", "schön", ";")),
  price: fc.double({ noDefaultInfinity: false }).filter((n) => !Object.is(n, -0)),
  count: fc.integer(),
  paid: fc.boolean(),
  note: fc.option(fc.string({ minLength: 1 })),
  blob: fc.uint8Array(),
});

describe("files of a format", () => {
  let folder: string;
  let files = 0;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-formats-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  async function collected<T>(build: (p: Pipeline) => PCollection<T>): Promise<T[]> {
    const found: T[] = [];
    await run(
      pipeline((p) => build(p).apply(map("keep", (value) => void found.push(value)))),
      {},
      local(),
    );
    return found;
  }
  const canonical = (values: readonly unknown[]): string[] => values.map((value) => fc.stringify(value)).sort();
  const written = (build: (p: Pipeline) => PCollection<string>): Promise<string[]> => collected(build);
  const suffix = fc.constantFrom("", ".gz");
  const shards = fc.constantFrom(undefined, 1, 3);

  it("csv gives back the rows of its schema", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 20 }),
        suffix,
        shards,
        fc.constantFrom(",", ";", "\t"),
        async (rows, end, cut, delimiter) => {
          const path = join(folder, `csv-${files++}`);
          await written((p) => p.apply(create(rows)).apply(csv.write(path, Row, { suffix: end, shards: cut, delimiter })));
          const back = await collected((p) => p.apply(csv.read(`${path}*`, Row, { delimiter })));
          assert.deepEqual(
            canonical(back.map((each) => ({ ...each, blob: Uint8Array.from(each.blob) }))),
            canonical(rows.map((each) => ({ ...each }))),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("JSON lines give back what JSON can say", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), suffix, shards, async (values, end, cut) => {
        const path = join(folder, `json-${files++}`);
        await written((p) => p.apply(create(values)).apply(jsonLines.write(path, { suffix: end, shards: cut })));
        const back = await collected((p) => p.apply(jsonLines.read(`${path}*`)));
        assert.deepEqual(canonical(back), canonical(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown)));
      }),
      { numRuns: 60 },
    );
  });

  it("text has its header first in every shard, compressed or not", async () => {
    for (const end of ["", ".gz"]) {
      const path = join(folder, `header-${files++}`);
      const names = await written((p) =>
        p.apply(create(["a", "b", "c"])).apply(textIO.write(path, { header: "# h", shards: 2, suffix: end })),
      );
      assert.equal(names.length, 2);
      for (const name of names) {
        const bytes = await readFile(name);
        assert.equal((end === "" ? bytes : gunzipSync(bytes)).toString().split("\n")[0], "# h");
      }
    }
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith(".")),
      [],
    );
  });

  it("zstd is read and written", async () => {
    const path = join(folder, "text.zst");
    await written((p) => p.apply(create(["a", "b"])).apply(textIO.write(path)));
    assert.deepEqual([...(await readFile(path)).subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd]);
    assert.deepEqual((await collected((p) => p.apply(textIO.read(path)))).sort(), ["a", "b"]);
  });

  const Order = schema.row({ id: schema.int32, at: schema.string });
  for (const [what, text, message] of [
    [
      "a value that does not fit",
      "id,at\n1,x\nmany,y\n",
      /cannot read ".*bad.*\.csv": line 3: field "id": expected a whole number from .*, got "many"/,
    ],
    ["a missing field", "id\n1\n", /cannot read ".*\.csv": there is no field "at"; there are id/],
    ["a record of another length", "id,at\n1,x,y\n", /cannot read ".*\.csv": Invalid Record Length/],
    ["an open quote", 'id,at\n1,"x\n', /cannot read ".*\.csv": Quote Not Closed/],
  ] as const)
    it(`csv names file, line and field of ${what}`, async () => {
      const path = join(folder, `bad-${files++}.csv`);
      await writeFile(path, text);
      await assert.rejects(
        collected((p) => p.apply(csv.read(path, Order))),
        message,
      );
    });

  it("csv without a schema gives texts by the names in the first line, or those given", async () => {
    const path = join(folder, "plain.csv");
    await writeFile(path, "\ufeffa,b\n1,2\n\n");
    assert.deepEqual(
      (await collected((p) => p.apply(csv.read(path)))).map((record) => ({ ...record })),
      [{ a: "1", b: "2" }],
    );
    assert.deepEqual((await collected((p) => p.apply(csv.read(path, { columns: ["x", "y"] })))).length, 2);
    await assert.rejects(
      collected((p) => p.apply(csv.read(path, { columns: ["x"] }))),
      /cannot read ".*plain\.csv": line 1: Invalid Record Length: there are 1 columns and 2 fields/,
    );
  });

  it("JSON lines name the line that is none", async () => {
    const path = join(folder, "bad.jsonl");
    await writeFile(path, '{"a":1}\n\n{oops\n');
    await assert.rejects(
      collected((p) => p.apply(jsonLines.read(path))),
      /failed in transform "jsonLines\.read\/parse"/,
    );
  });
});
