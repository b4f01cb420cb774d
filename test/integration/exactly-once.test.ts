// What is written outside of the pipeline, by runs that fail at any point and go on from their checkpoints.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { local } from "../../local/index.js";
import {
  create,
  map,
  parDo,
  output,
  pipeline,
  run,
  sequence,
  transactionalWrite,
  withIdempotencyKeys,
  type CommittedBatch,
  type KV,
  type Pipeline,
  type TransactionalBatch,
  type TransactionalSink,
  type TransactionalWriteOptions,
} from "../../sdk/index.js";
import { outputOf } from "../support/output-of.js";

/** A store with transactions, and a network between it and us that breaks at a set call: before the call has come to it, or behind it. */
class Store {
  readonly rows: string[] = [];
  readonly batches: TransactionalBatch<string>[] = [];
  readonly last = new Map<string, number>();
  calls = 0;
  breaksAt: number | undefined;
  breaks: "before" | "after" = "before";

  readonly open = (): TransactionalSink<string> => ({
    commit: (batch) =>
      this.call(() => {
        this.batches.push(batch);
        const { series, sequence } = batch.id;
        if (sequence <= (this.last.get(series) ?? -1)) return;
        this.rows.push(...batch.elements);
        this.last.set(series, sequence);
      }),
    forget: async (series) => {
      for (const each of series) this.last.delete(each);
    },
  });

  private async call(act: () => void): Promise<void> {
    const isBroken = this.breaksAt === this.calls++;
    if (isBroken && this.breaks === "before") throw new Error("the network is down");
    await new Promise((resolve) => setImmediate(resolve));
    act();
    if (isBroken) throw new Error("the network is down");
  }
}

describe("writes by transactions", () => {
  const write = (store: Store, elements: readonly string[], options: Partial<TransactionalWriteOptions<string>> = {}) =>
    outputOf<CommittedBatch>((p) => p.apply(create(elements)).apply(transactionalWrite({ open: store.open, ...options })), {
      virtualTime: true,
    });

  it("have batches by number, numbered from 0 in each series, and the rest at the end", async () => {
    const store = new Store();
    const elements = Array.from({ length: 25 }, (_, n) => String(n));
    const committed = await write(store, elements, { shards: 2, batchElements: 5, name: "mine" });
    assert.deepEqual([...store.rows].sort(), [...elements].sort());
    const bySeries = new Map<string, CommittedBatch[]>();
    for (const batch of committed) bySeries.set(batch.id.series, [...(bySeries.get(batch.id.series) ?? []), batch]);
    assert.equal(bySeries.size, 2);
    for (const batches of bySeries.values()) {
      assert.deepEqual(
        batches.map(({ id }) => [id.write, id.sequence]),
        [
          ["mine", 0],
          ["mine", 1],
          ["mine", 2],
        ],
      );
      assert.ok(batches.slice(0, 2).every((each) => each.elements === 5));
    }
    assert.equal(store.last.size, 0, "the job is over: nobody needs to know");
  });

  it("have batches of what came in a time", async () => {
    const store = new Store();
    const committed = await outputOf<CommittedBatch>(
      (p) =>
        p
          .apply(sequence({ to: 20, perSecond: 10, parallelism: 1 }))
          .apply(map(String))
          .apply(transactionalWrite({ open: store.open, shards: 1, maxBufferingMs: 450 })),
      { virtualTime: true },
    );
    assert.deepEqual(
      committed.map(({ elements }) => elements),
      [5, 5, 5, 5],
    );
  });

  it("are tried again with the same batch", async () => {
    for (const breaks of ["before", "after"] as const) {
      const store = new Store();
      Object.assign(store, { breaksAt: 1, breaks });
      const elements = Array.from({ length: 12 }, (_, n) => String(n));
      await write(store, elements, { shards: 1, batchElements: 4 });
      assert.deepEqual(store.rows, elements);
    }
  });

  it("refuse options that are out of range", () => {
    const { open } = new Store();
    assert.throws(() => transactionalWrite({ open, shards: 0 }), /shards must be a whole number from 1 to 10000, not 0/);
    assert.throws(() => transactionalWrite({ open, batchElements: 1.5 }), /batchElements must be/);
    assert.throws(() => transactionalWrite({ open, maxBufferingMs: NaN }), /maxBufferingMs must be 0 or more/);
    assert.throws(() => withIdempotencyKeys({ shards: -1 }), /shards must be/);
  });
});

describe("what a run that goes on writes outside", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "exactly-once-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Runs what is built until a run comes to its end; gives how many it took. */
  async function untilDone(build: (p: Pipeline) => void, name: string): Promise<number> {
    for (let runs = 1; ; runs++) {
      const runner = local({
        checkpointDir: join(folder, name),
        checkpointIntervalMs: 5,
        runtime: { bundleAttempts: 1, bundleElements: 4 },
      });
      const isDone = await run(pipeline(build), {}, runner).then(
        () => true,
        (error: Error) => {
          assert.match(error.message, /the network is down/);
          return false;
        },
      );
      if (isDone) return runs;
      assert.ok(runs < 20);
    }
  }

  it("is there once, wherever a transaction fails, although elements come out otherwise when they are made again", async () => {
    for (const breaks of ["before", "after"] as const)
      for (let at = 0; at < 6; at++) {
        const store = new Store();
        Object.assign(store, { breaksAt: at, breaks });
        const runs = await untilDone(
          (p) =>
            void p
              .apply(sequence({ to: 40, perSecond: 1000, parallelism: 1 }))
              .apply(map((n) => `${n} ${Math.random()}`))
              .apply(transactionalWrite({ open: store.open, shards: 2, batchElements: 7, maxBufferingMs: 10 })),
          `${breaks}-${at}`,
        );
        assert.equal(runs, 2);
        const numbers = store.rows.map((row) => Number(row.split(" ")[0])).sort((a, b) => a - b);
        assert.deepEqual(
          numbers,
          Array.from({ length: 40 }, (_, n) => n),
          `broken ${breaks} call ${at}`,
        );
        // A batch that came twice was the same.
        const contents = new Map<string, string>();
        for (const { id, elements } of store.batches) {
          const key = `${id.series} ${id.sequence}`;
          assert.equal(contents.get(key) ?? elements.join(), elements.join());
          contents.set(key, elements.join());
        }
      }
  });

  it("has the same key whenever it comes again", async () => {
    for (let at = 1; at < 40; at += 6) {
      const sent = new Map<string, string>();
      let calls = 0;
      const post = ({ key, value }: KV<string, string>): string => {
        assert.equal(sent.get(key) ?? value, value);
        sent.set(key, value);
        if (calls++ === at) throw new Error("the network is down");
        return key;
      };
      await untilDone(
        (p) =>
          void p
            .apply(sequence({ to: 40, perSecond: 1000, parallelism: 1 }))
            .apply(map((n) => `${n} ${Math.random()}`))
            .apply(withIdempotencyKeys({ shards: 3 }))
            .apply(parDo("post", { outputs: output<string>(), process: (keyed: KV<string, string>, { emit }) => emit(post(keyed)) })),
        `keys-${at}`,
      );
      assert.ok([...sent.keys()].every((key) => /^[\w-]{1,40}$/.test(key)));
      const numbers = [...sent.values()].map((row) => Number(row.split(" ")[0])).sort((a, b) => a - b);
      assert.deepEqual(
        numbers,
        Array.from({ length: 40 }, (_, n) => n),
        `failed at call ${at}`,
      );
    }
  });
});
