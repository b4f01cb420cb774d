import assert from "node:assert/strict";
import { filter, firstValueFrom } from "rxjs";
import { metricToMonitoringInfo, type Metric } from "../../../../portability/metrics/index.js";
import type { beam } from "../../../../portability/protos/index.js";
import { METRIC, METRIC_LABEL, METRIC_TYPE } from "../../../../portability/urns/index.js";
import type { FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { count, describeRemote, remote } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, with metrics", (jobs) => {
  const requests = (value: number): beam.pipeline.IMonitoringInfo =>
    metricToMonitoringInfo({ transform: "count", namespace: "test", name: "requests", type: "counter", value });
  const inner = (value: number): beam.pipeline.IMonitoringInfo => ({
    urn: METRIC.ELEMENT_COUNT,
    type: METRIC_TYPE.SUM_INT64_TYPE,
    labels: { [METRIC_LABEL.PCOLLECTION]: "inner" },
    payload: Uint8Array.of(value),
  });
  const valuesOf = (metrics: readonly Metric[]): unknown[] =>
    metrics.map(({ transform, value }) => `${transform} ${JSON.stringify(value)}`);

  /** impulse → "numbers" → dealt out → "count" */
  const counting = (): PipelineBuilder => {
    const p = new PipelineBuilder();
    p.parDo("count", p.reshuffle("deal", p.parDo("numbers", p.impulse(), "increment", remote)), "increment", remote);
    return p;
  };

  it("adds up those of bundles, and asks for each name once", async () => {
    let bundles = 0;
    const functions: Record<string, FakeTransform> = {
      numbers: count(5),
      count: (_value, _meta, _emit, { counted }) => {
        bundles++;
        counted([requests(3), inner(2)]);
      },
    };
    const job = await jobs.start(counting(), functions, { runtime: { remoteBundleElements: 1 } });
    const { user, committed, elements, committedElements } = await job.result;
    assert.equal(bundles, 5);
    assert.deepEqual([valuesOf(user), valuesOf(committed)], [["count 15"], ["count 15"]]);
    assert.deepEqual([elements.get("inner"), committedElements.get("inner")], [10, 10]);
    const { askedNames } = jobs.pool.harnesses[0];
    assert.equal(askedNames.length, 2);
    assert.equal(new Set(askedNames).size, 2);
  });

  it("tells those of a bundle under way as attempted, and commits what its end says", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const functions: Record<string, FakeTransform> = {
      numbers: count(1),
      count: async (_value, _meta, _emit, { counted }) => {
        counted([requests(3), inner(2)]);
        await released;
        counted([requests(4), inner(7)]);
      },
    };
    const job = await jobs.start(counting(), functions, { progressMs: 10 });
    const told = await firstValueFrom(job.metrics$.pipe(filter(({ user }) => user.length > 0)));
    assert.deepEqual([valuesOf(told.user), told.committed], [["count 3"], []]);
    assert.deepEqual([told.elements.get("inner"), told.committedElements.get("inner") ?? 0], [2, 0]);
    release();
    const { user, committed, elements, committedElements } = await job.result;
    assert.deepEqual([valuesOf(user), valuesOf(committed)], [["count 4"], ["count 4"]]);
    assert.deepEqual([elements.get("inner"), committedElements.get("inner")], [7, 7]);
  });

  it("leaves those of a failed bundle attempted", async () => {
    let failures = 1;
    const functions: Record<string, FakeTransform> = {
      numbers: count(1),
      count: async (_value, _meta, _emit, { counted, asked }) => {
        counted([requests(3), inner(2)]);
        if (failures-- === 0) return;
        for (let i = 0; i < 2; i++) await asked(); // the second time it has been heard
        throw new Error("no such luck");
      },
    };
    const { user, committed, elements } = await (await jobs.start(counting(), functions, { progressMs: 5 })).result;
    assert.deepEqual([valuesOf(user), valuesOf(committed)], [["count 6"], ["count 3"]]);
    assert.equal(elements.get("inner"), 2);
  });

  it("fails a harness whose metrics cannot be read", async () => {
    const broken = { ...requests(0), payload: Uint8Array.of(0xff) };
    const functions: Record<string, FakeTransform> = {
      numbers: count(1),
      count: (_value, _meta, _emit, { counted }) => counted([broken]),
    };
    const job = await jobs.start(counting(), functions, { runtime: { bundleAttempts: 1 } });
    await assert.rejects(job.result, /environment "remote" answers what cannot be read/);
  });
});
