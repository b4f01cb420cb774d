// Rows in PostgreSQL, on a real server.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, postgresIO, type CommittedBatch, type postgresIO as Types } from "../../sdk/index.js";
import { TableSink } from "../../sdk/io/postgres/table-sink.js";
import { outputOf } from "../support/output-of.js";
import { PostgresServer } from "../support/postgres-server.js";
import { runWithCrashes } from "../support/crashes.js";

describe("rows in PostgreSQL", function () {
  this.timeout(120_000);
  let server: PostgresServer;
  let table: string;
  let tables = 0;

  before(async function () {
    const home = process.env["BEAMSTORM_PEER_POSTGRES"];
    if (home === undefined) return this.skip(); // said by npm run test:interop
    server = await PostgresServer.start(home);
  });
  after(() => server?.stop());
  beforeEach(async () => {
    table = `t${tables++}`;
    await server.query(`CREATE TABLE ${table} (n int NOT NULL, text text, at timestamptz DEFAULT now())`);
  });

  const write = (elements: readonly unknown[], options: Partial<Types.PostgresWriteOptions<unknown>> = {}): Promise<CommittedBatch[]> =>
    outputOf(
      (p) =>
        p.apply(create(elements)).apply(postgresIO.write<unknown>({ connection: server.url, table, columns: ["n", "text"], ...options })),
      { retryDelayMs: 1 },
    );
  const numbers = async (): Promise<unknown[]> => (await server.query(`SELECT n FROM ${table} ORDER BY n`)).map(({ n }) => n);

  it("are the fields of elements, or what a function gives, and other columns have their defaults", async () => {
    const committed = await write([{ n: 1, text: "one", more: true }, { n: 2 }]);
    assert.equal(
      committed.reduce((sum, { elements }) => sum + elements, 0),
      2,
    );
    await write(["three"], { rowOf: (text) => [3, text] });
    assert.deepEqual(await server.query(`SELECT n, text, at IS NOT NULL AS at FROM ${table} ORDER BY n`), [
      { n: 1, text: "one", at: true },
      { n: 2, text: null, at: true },
      { n: 3, text: "three", at: true },
    ]);
  });

  it("may have names that need quotes, in a schema", async () => {
    await server.query(`CREATE SCHEMA IF NOT EXISTS "My""Shop"; CREATE TABLE "My""Shop"."Order" ("a.b" int)`);
    await write([7], { table: 'My"Shop.Order', columns: ["a.b"], rowOf: (n) => [n] });
    assert.deepEqual(await server.query('SELECT * FROM "My""Shop"."Order"'), [{ "a.b": 7 }]);
  });

  it("may be more than a statement has parameters for", async () => {
    const many = Array.from({ length: 40_000 }, (_, n) => ({ n, text: "x" }));
    await write(many, { shards: 1, batchElements: 40_000, maxBufferingMs: 60_000 });
    assert.equal((await numbers()).length, 40_000);
  });

  it("are written once, however often a batch is committed, by whatever process", async () => {
    const sink = () =>
      TableSink.open<number>({ connection: server.url, table, columns: ["n"], rowOf: (n) => [n], commitsTable: "commits_of_test" });
    const [one, other] = await Promise.all([sink(), sink()]); // both make the table of commits
    const batch = (sequence: number, ...elements: number[]) => ({ id: { write: "w", series: "s", sequence }, elements });
    await Promise.all([one.commit(batch(0, 1, 2)), other.commit(batch(0, 1, 2))]);
    await other.commit(batch(1, 3));
    await one.commit(batch(0, 1, 2));
    await one.commit(batch(1, 3));
    assert.deepEqual(await numbers(), [1, 2, 3]);
    await assert.rejects(one.commit(batch(2, 4, NaN)), /cannot write to table t\d+: invalid input syntax/);
    await one.commit(batch(2, 4));
    assert.deepEqual(await numbers(), [1, 2, 3, 4]);
    assert.deepEqual(await server.query("SELECT series, sequence FROM commits_of_test"), [{ series: "s", sequence: "2" }]);
    await one.forget(["s"]);
    assert.deepEqual(await server.query("SELECT series FROM commits_of_test"), []);
    await Promise.all([one.close(), other.close()]);
  });

  it("are undone with their batch when a row is refused, which is said with its reason", async () => {
    await server.query(`ALTER TABLE ${table} ADD CONSTRAINT small CHECK (n < 3)`);
    const writing = write(
      [1, 2, 3].map((n) => ({ n, text: "" })),
      { shards: 1 },
    );
    await assert.rejects(writing, /cannot write to table t\d+: new row .* violates check constraint "small"; .*constraint small/);
    assert.deepEqual(await numbers(), []);
  });

  it("say what does not fit before anything is written", async () => {
    for (const [options, message] of [
      [{ table: "none" }, /table none: there is no such table; create it before the pipeline runs/],
      [{ columns: ["n", "nothing"] }, /the columns n, nothing of table t\d+: the table has no such column/],
      [{ connection: server.url.replace(/:\d+\//, ":9/") }, /cannot connect to PostgreSQL at 127\.0\.0\.1:9: nobody listens there/],
      [{ connection: `${server.url}s` }, /cannot connect to PostgreSQL at .*: there is no such database/],
      [{ rowOf: () => [1] }, /rowOf gave 1 values for the 2 columns/],
    ] as const)
      await assert.rejects(write([{ n: 1, text: "" }], options), message);
    await assert.rejects(write([5]), /an element without fields, 5, cannot be a row by itself/);
    assert.throws(() => postgresIO.write({ connection: "", table, columns: ["a", "a"] }), /columns must be names, each once/);
    assert.deepEqual(await numbers(), []);
  });

  for (const workers of [[1], [3], [1, 3, 2]])
    it(`are written exactly once by a run that is killed and goes on, with ${workers.join(", then ")} workers`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "postgres-crashes-"));
      try {
        const seed = Number(process.env["BEAMSTORM_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
        const args = ["test/interop/pipelines/postgres.ts", "--url", server.url, "--table", table];
        const story = await runWithCrashes({ args, workers, checkpointDir: folder, kills: 5, withinMs: 3000, seed });
        assert.deepEqual(
          await numbers(),
          Array.from({ length: 6000 }, (_, n) => n),
          story,
        );
        assert.deepEqual(await server.query("SELECT * FROM beamstorm_commits"), [], story);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
});
