import assert from "node:assert/strict";
import { ByteReader } from "../../../../portability/coders/index.js";
import { beam } from "../../../../portability/protos/index.js";
import type { KV } from "../../../../portability/values/index.js";
import type { FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { count, describeRemote, grouping, remote, sumsByKey } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost", (jobs) => {
  for (const [parallelism, runtime] of [
    [1, undefined],
    [3, { channelBytes: 4096, batchBytes: 512, remoteBundleElements: 7 }],
  ] as const)
    it(`groups what it only knows as bytes, with ${parallelism} tasks and ${runtime ? "tiny" : "ordinary"} buffers`, async () => {
      const sums = new Map<unknown, number>();
      const n = 3000;
      const job = await jobs.start(grouping(), sumsByKey(sums, n), { parallelism, runtime });
      const metrics = await job.result;
      const expected = [0, 1, 2].map((k) => [`k${k}`, Array.from({ length: n / 3 }, (_, i) => 3 * i + k).reduce((a, b) => a + b)] as const);
      assert.deepEqual(sums, new Map(expected));
      assert.equal(metrics.elements.get("key.0"), n);
    });

  it(`has elements come ${jobs.embeds ? "with the order, unless they are too large to wait for all of them" : "behind the order"}`, async () => {
    const p = new PipelineBuilder();
    p.parDo("measure", p.reshuffle("again", p.parDo("sized", p.impulse(), "increment", remote)), "increment", remote);
    const came: (readonly [length: number, withOrder: boolean])[] = [];
    const functions: Record<string, FakeTransform> = {
      sized: (_value, meta, emit) => [3, 1 << 20].forEach((length) => emit("x".repeat(length), meta)),
      measure(value, _meta, _emit, { order }) {
        const withOrder = order.elements?.data?.some(({ data }) => data?.length) === true;
        came.push([(value as string).length, withOrder]);
      },
    };
    await (
      await jobs.start(p, functions, { runtime: { remoteBundleElements: 1 } })
    ).result;
    assert.deepEqual(came, [
      [3, jobs.embeds],
      [1 << 20, false],
    ]);
  });

  for (const capabilities of [["beam:coder:state_backed_iterable:v1"], []])
    it(`gives ${capabilities.length > 0 ? "a page of a large group, and the rest when it is asked for" : "harnesses that ask for nothing all of a large group"}`, async () => {
      const n = 3000;
      const large = (i: number): string => String(i).padStart(1000, "0");
      const pages: number[] = [];
      let inline = 0;
      let read = 0;
      const functions: Record<string, FakeTransform> = {
        numbers: count(n),
        key: (value, meta, emit) => emit({ key: "k", value: large(value as number) }, meta),
        collect: async (element, _meta, _emit, { state }) => {
          const values = (element as KV<unknown, (string | Uint8Array)[]>).value;
          const token = values.at(-1)!;
          inline = values.length;
          if (typeof token === "string") return;
          read = inline - 1;
          let continuation: Uint8Array | undefined;
          do {
            const { get, error } = await state({ runner: { key: token } }, continuation);
            assert.equal(error ?? "", "");
            pages.push(get!.data!.length);
            for (const reader = new ByteReader(get!.data!); reader.remaining > 0; read++) reader.skip(reader.readLength());
            continuation = get!.continuationToken!;
          } while (continuation.length > 0);
        },
      };
      const job = await jobs.start(grouping(), functions, { capabilities });
      await job.result;
      if (capabilities.length === 0) assert.deepEqual([inline, pages], [n, []]);
      else
        assert.ok(
          read === n && inline < n / 2 && Math.max(...pages) < 1.1 * (1 << 20),
          `${read} read, ${inline} inline, pages of ${pages.join()}`,
        );
    });

  it("ends the harness with the job and tells its pool", async () => {
    const job = await jobs.start(grouping(), sumsByKey(new Map(), 5));
    await job.result;
    await jobs.pool.harnesses[0].ended;
    assert.deepEqual(jobs.pool.stopped, [jobs.pool.harnesses[0].workerId]);
    assert.equal(jobs.pool.harnesses.length, 1);
  });

  it("has a bundle finalized once it is committed", async () => {
    const p = new PipelineBuilder();
    p.parDo("use", p.impulse(), "increment", remote);
    const { spec } = p.transforms["use"];
    spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, requestsFinalization: true }).finish();
    p.requirements.push("beam:requirement:pardo:finalization:v1");
    const job = await jobs.start(p, { use: (_value, _meta, _emit, { finalize }) => finalize() });
    await job.result;
    const [{ finalized, wantFinalization }] = jobs.pool.harnesses;
    assert.deepEqual([finalized, finalized.length], [wantFinalization, 1]);
  });

  it("converts what a flatten joins into one coder", async () => {
    const p = new PipelineBuilder();
    p.coders["int"] = { spec: { urn: "beam:coder:varint:v1" } };
    const dealt = ["a", "b"].map((name, i) => {
      const numbers = p.parDoOutputs(name, p.impulse(`${name} impulse`), "increment", 1, i === 0 ? "int" : "any", remote)[0];
      return p.reshuffle(`${name} dealt`, numbers);
    });
    p.pcollection("joined", "any");
    p.add("join", { spec: { urn: "beam:transform:flatten:v1" } }, dealt, ["joined"], {});
    p.parDo("use", "joined", "increment", remote);
    const used: unknown[] = [];
    const job = await jobs.start(p, { a: count(3), b: count(2), use: (value) => void used.push(value) });
    await job.result;
    assert.deepEqual(
      used.map(Number).sort((a, b) => a - b),
      [0, 0, 1, 1, 2],
    );
  });

  it("keeps bundles of different stages from waiting for each other", async () => {
    const p = new PipelineBuilder();
    p.parDo("slow", p.reshuffle("deal", p.impulse()), "increment", remote);
    p.parDo("fast", p.reshuffle("deal too", p.impulse("second impulse")), "increment", remote);
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const job = await jobs.start(p, { slow: () => released, fast: () => release() });
    await job.result;
  });
});
