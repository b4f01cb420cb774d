// Files in S3, on a real server.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { S3 } from "../../sdk/io/files/s3-client.js";
import { avro, create, csv, files, jsonLines, map, parquet, reshuffle, rows, schema, textIO } from "../../sdk/index.js";
import { s3Client } from "../../sdk/io/files/s3-client.js";
import { temporaryName } from "../../sdk/io/files/file-names.js";
import { s3Files } from "../../sdk/io/files/s3-files.js";
import { RunMarks } from "../../sdk/io/files/temporary-files.js";
import { beamstorm } from "../support/run-cli.js";
import { S3Server } from "../support/s3-server.js";
import { outputOf } from "../support/output-of.js";

describe("files in S3", function () {
  this.timeout(120_000);
  const before_ = { ...process.env };
  let server: S3Server;
  let s3: S3;
  let bucket: string;
  let buckets = 0;

  before(async function () {
    const program = process.env["BEAMSTORM_PEER_S3"];
    if (program === undefined) return this.skip(); // said by npm run test:interop
    server = await S3Server.start(program);
    Object.assign(process.env, server.environment);
    s3 = await s3Client();
  });
  after(async () => {
    for (const name of Object.keys(server?.environment ?? {})) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await server?.stop();
  });
  beforeEach(async () => {
    bucket = `bucket-${buckets++}`;
    await s3.client.send(new s3.sdk.CreateBucketCommand({ Bucket: bucket }));
  });

  const at = (key: string): string => `s3://${bucket}/${key}`;
  const put = (Key: string, Body: string) => s3.client.send(new s3.sdk.PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(Body) }));
  const get = async (Key: string): Promise<string> => {
    const { Body } = await s3.client.send(new s3.sdk.GetObjectCommand({ Bucket: bucket, Key }));
    return Body!.transformToString();
  };
  /** Everything that is in the bucket: hidden objects, and uploads that were not completed. */
  const contents = async (): Promise<string[]> => {
    const { Contents = [] } = await s3.client.send(new s3.sdk.ListObjectsV2Command({ Bucket: bucket }));
    const { Uploads = [] } = await s3.client.send(new s3.sdk.ListMultipartUploadsCommand({ Bucket: bucket }));
    return [...Contents.map(({ Key }) => Key!), ...Uploads.map(({ Key }) => `upload of ${Key}`)].sort();
  };
  const sortedLines = (text: string): string[] => text.trimEnd().split("\n").sort();

  it("are read as lines, in ranges, compressed or not", async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i} ä€`).sort();
    await put("logs/a.txt", lines.join("\n"));
    assert.deepEqual((await outputOf((p) => p.apply(textIO.read(at("logs/*.txt"), { rangeBytes: 100 })))).sort(), lines);
    await outputOf((p) => p.apply(textIO.read(at("logs/a.txt"))).apply(textIO.write(at("logs/b.txt.gz"))));
    assert.deepEqual((await outputOf((p) => p.apply(textIO.read(at("logs/*.gz"))))).sort(), lines);
  });

  it("are read when they are empty", async () => {
    await put("none.txt", "");
    await put("none.csv", "");
    assert.deepEqual(await outputOf((p) => p.apply(textIO.read(at("none.txt")))), []);
    assert.deepEqual(await outputOf((p) => p.apply(csv.read(at("none.csv")))), []);
  });

  it("are found by patterns, more than a page of them", async () => {
    const keys = Array.from({ length: 1100 }, (_, i) => `many/${i}.txt`);
    for (let i = 0; i < keys.length; i += 50) await Promise.all(keys.slice(i, i + 50).map((key) => put(key, "x")));
    for (const other of ["many/deep/1.txt", "many/1.csv", "many/.hidden.txt", "other/1.txt"]) await put(other, "no");
    await put("many/folder.txt/", "");
    const found = await s3Files.match(at("many/*.txt"));
    assert.deepEqual(
      found.map(({ path }) => path),
      keys.map(at).sort(),
    );
    assert.deepEqual(
      (await s3Files.match(at("**/1.{txt,csv}"))).map(({ path }) => path),
      ["many/1.csv", "many/1.txt", "many/deep/1.txt", "other/1.txt"].map(at),
    );
    await put("notes [1].txt", "named like a pattern");
    assert.equal((await s3Files.match(at("notes [1].txt")))[0].size, 20);
  });

  it("are read at any place", async () => {
    await put("ten", "0123456789");
    assert.equal(Buffer.from(await s3Files.read(at("ten"), 3, 7)).toString(), "3456");
    await assert.rejects(s3Files.read(at("ten"), 8, 12), /cannot read ".*ten": it ends at byte 10, before 12/);
    const found = await outputOf((p) =>
      p.apply(files.match(at("t?n"))).apply(map(async (file) => `${file.size} ${await files.readText(file)}`)),
    );
    assert.deepEqual(found, ["10 0123456789"]);
  });

  it("are written whole, by destination, and replace what was there", async () => {
    await put("by/DE.jsonl", "old");
    const orders = [
      { id: 1, country: "DE" },
      { id: 2, country: "FR" },
      { id: 3, country: "DE" },
    ];
    const names = await outputOf((p) =>
      p.apply(create(orders)).apply(jsonLines.write(at("by/*.jsonl"), { destination: ({ country }) => country })),
    );
    assert.deepEqual(names.sort(), [at("by/DE.jsonl"), at("by/FR.jsonl")]);
    assert.deepEqual(sortedLines(await get("by/DE.jsonl")), ['{"id":1,"country":"DE"}', '{"id":3,"country":"DE"}']);
    assert.deepEqual(await contents(), ["by/DE.jsonl", "by/FR.jsonl"]);
  });

  it("are written in shards, and empty", async () => {
    await outputOf((p) => p.apply(create(["a", "b"])).apply(textIO.write(at("s"), { shards: 3 })));
    assert.deepEqual(await contents(), ["s-00000-of-00003", "s-00001-of-00003", "s-00002-of-00003"]);
    await outputOf((p) => p.apply(create<string>([])).apply(textIO.write(at("empty.txt"))));
    assert.equal(await get("empty.txt"), "");
  });

  it("may be larger than what an upload sends at a time", async () => {
    const lines = Array.from({ length: 24 }, () => randomBytes(400_000).toString("hex"));
    await outputOf((p) => p.apply(create(lines)).apply(textIO.write(at("large.txt"))));
    assert.deepEqual((await outputOf((p) => p.apply(textIO.read(at("large.txt"))))).sort(), lines.sort());
    assert.deepEqual(await contents(), ["large.txt"]);
  });

  for (const format of ["avro", "parquet"] as const)
    it(`are written whole and read at any place: ${format}`, async () => {
      const Order = schema.row({ id: schema.int64, note: schema.nullable(schema.string) });
      const orders = [1n, 2n, 3n].map((id) => ({ id, note: id === 2n ? null : `note ${id}` }));
      const { read, write } = { avro, parquet }[format];
      await outputOf((p) =>
        p
          .apply(create(orders))
          .apply(rows.as(Order))
          .apply(write(at(`o.${format}`), Order)),
      );
      const found = await outputOf((p) => p.apply(read(at(`*.${format}`), Order)));
      assert.deepEqual(
        found.sort((a, b) => Number(a.id - b.id)),
        orders,
      );
      assert.deepEqual(await contents(), [`o.${format}`]);
    });

  it("are not touched by a run that fails, and nothing is left of it", async () => {
    await put("out.txt", "old");
    let before: string[] = [];
    const failing = outputOf(
      (p) =>
        p
          .apply(create(["a", "b", "last"]))
          .apply(reshuffle())
          .apply(
            map(async (line) => {
              if (line !== "last") return line;
              before = await contents();
              throw new Error("no more");
            }),
          )
          .apply(textIO.write(at("out.txt"))),
      { bundleElements: 1, batchBytes: 1 },
    );
    await assert.rejects(failing, /no more/);
    assert.ok(before.length > 1, "parts had been written");
    assert.deepEqual(await contents(), ["out.txt"]);
    assert.equal(await get("out.txt"), "old");
  });

  it("leave no upload behind when a file that is written whole fails", async () => {
    const broken: files.WriteFormat<string> = {
      parts: "whole",
      suffix: "",
      open: (sink) => ({
        write: () => sink.write(Buffer.alloc(9 << 20)),
        finish: async () => {
          assert.deepEqual(await contents(), ["upload of whole"]);
          throw new Error("no footer");
        },
      }),
    };
    await assert.rejects(
      outputOf((p) => p.apply(create(["a"])).apply(files.write(at("whole"), broken))),
      /cannot write "s3:.*whole": no footer/,
    );
    assert.deepEqual(await contents(), []);
  });

  it("leave nothing of a process that was killed to the one that goes on: neither objects nor uploads", async () => {
    const run = (from: number, generation: number) => new RunMarks({ job: "job", generation, from, epoch: () => from + 1 });
    const killed = run(4, 1);
    const wanted = await s3Files.replace(at("o/wanted"), run(3, 1).referred); // of epoch 4, which the run goes on from
    await wanted.write(Buffer.from("wanted"));
    const prepared = await wanted.close();
    for (const mark of [killed.referred, killed.passing]) await (await s3Files.replace(at("o/a"), mark)).write(Buffer.from("x"));
    await (await s3Files.create(at(`o/${temporaryName("part", killed.referred)}`))).close();
    await (await s3Files.create(at(`o/${temporaryName("begun", killed.referred)}`))).write(Buffer.from("x"));
    await s3Files.replace(at("o/others"), "another.1.x");
    await s3Files.replace(at("o/deep/a"), killed.passing);
    const goesOn = run(4, 2);
    await s3Files.sweep(at("o/"), false, (mark) => goesOn.isOrphan(mark));
    const kept = (await contents()).map((name) => name.replace(/-[0-9a-f]{16}$/, ""));
    assert.deepEqual(kept, [
      "o/.others.part-another.1.x",
      "o/.wanted.part-job.1.4",
      "o/deep/.a.part-job.1.x",
      "upload of o/deep/a",
      "upload of o/others",
      "upload of o/wanted",
    ]);
    await s3Files.sweep(at("o/"), true, (mark) => goesOn.isOrphan(mark));
    await s3Files.publish(prepared);
    await s3Files.publish(prepared); // by a run that does not know that it was
    const left = (await contents()).map((name) => name.replace(/-[0-9a-f]{16}$/, ""));
    assert.deepEqual(left, ["o/.others.part-another.1.x", "o/wanted", "upload of o/others"]);
    await s3Files.remove(at("o/wanted"));
    await assert.rejects(s3Files.publish(prepared), /its upload is gone, and it is not there/);
  });

  it("say that an object or a bucket is not there", async () => {
    await assert.rejects(
      outputOf((p) => p.apply(textIO.read(at("missing.txt")))),
      /cannot read "s3:.*missing\.txt": there is no such object, or bucket/,
    );
    await assert.rejects(
      outputOf((p) => p.apply(textIO.read("s3://no-such-bucket/*.txt"))),
      /cannot read "s3:\/\/no-such-bucket\/\*\.txt": there is no such bucket/,
    );
    await assert.rejects(
      outputOf((p) => p.apply(create(["a"])).apply(textIO.write("s3://no-such-bucket/a.txt"))),
      /cannot write "s3:\/\/no-such-bucket\/a\.txt": there is no such bucket/,
    );
    await assert.rejects(
      outputOf((p) => p.apply(textIO.read("s3://bucket"))),
      /names no file: write s3:\/\/bucket\/key/,
    );
  });

  for (const [what, environment, message] of [
    ["an unknown access key", { AWS_ACCESS_KEY_ID: "somebody" }, /access key is not known to the store; look at AWS_ACCESS_KEY_ID/],
    ["a wrong secret", { AWS_SECRET_ACCESS_KEY: "wrong" }, /secret key is wrong; look at AWS_SECRET_ACCESS_KEY/],
    [
      "nobody at the address",
      { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9" },
      /nobody listens at the store's address; look at AWS_ENDPOINT_URL_S3/,
    ],
  ] as const)
    it(`say in one line: ${what}`, async () => {
      const args = ["run", "test/integration/fixtures/text.ts", "--pipeline", "copy", "--input", at("*.txt"), "--output", at("out.txt")];
      const { code, message: said } = await beamstorm(args, { env: { ...server.environment, ...environment } });
      assert.equal(code, 1, said);
      assert.match(said, message);
    });
});
