import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import type { KV } from "../../../../portability/values/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { describeRemote, remote } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, with restrictions", (jobs) => {
  /** impulse → "read", which is splittable → "use" */
  const reading = (restrictionCoderId: string): PipelineBuilder => {
    const p = new PipelineBuilder();
    p.parDo("use", p.parDo("read", p.impulse(), "increment", remote), "increment", remote);
    p.coders["range"] = { spec: { urn: "beam:coder:varint:v1" } };
    const { spec } = p.transforms["read"];
    spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, restrictionCoderId }).finish();
    return p;
  };

  it("gives back what a bundle hands back, until nothing is", async () => {
    const p = reading("range");
    const used: unknown[] = [];
    const job = await jobs.start(p, {
      "read/pair": (value, meta, emit) => emit({ key: value, value: 5 }, meta),
      "read/split": (value, meta, emit) => emit({ key: value, value: 1 }, meta),
      "read/process": (value, meta, emit, { later }) => {
        const { key, value: size } = value as KV<KV<unknown, number>, number>;
        emit(key.value, meta);
        if (key.value > 1) later({ key: { key: key.key, value: key.value - 1 }, value: size }, meta);
      },
      use: (value) => void used.push(value),
    });
    await job.result;
    assert.deepEqual(used, [5, 4, 3, 2, 1]);
  });

  it("has more kept where nothing can be split that keeps so little", async () => {
    const p = reading("range");
    let splits = 0;
    const job = await jobs.start(
      p,
      {
        "read/pair": (value, meta, emit) => emit({ key: value, value: 1 }, meta),
        "read/split": (value, meta, emit) => emit({ key: value, value: 1 }, meta),
        "read/process": (_value, _meta, _emit, { harness, onSplit }) => {
          harness.keepsAtLeast = 0.4;
          return new Promise<void>((resolve) =>
            onSplit(() => {
              splits++;
              resolve();
            }),
          );
        },
        use: () => {},
      },
      { runtime: { bundleElements: 1 } },
    );
    await job.result;
    assert.equal(splits, 1);
  });

  const [go, java, python] = ["go:apache/beam_go_sdk:2.77.0", "apache/beam_java11_sdk:2.62.0", "apache/beam_python3.11_sdk:2.77.0"];
  for (const [bundleElements, sdk] of [
    [1, python],
    [1000, python],
    [1000, go],
    [1000, java],
  ] as const)
    // prettier-ignore
    it(`splits what does not end, and gives back what is left of it and behind it, of ${bundleElements} elements, with ${sdk}`, async () => {
    const p = reading("range");
    const used: unknown[] = [];
    let splits = 0;
    const job = await jobs.start(
      p,
      {
        "read/pair": (value, meta, emit) => emit({ key: value, value: 3 }, meta),
        "read/split": (value, meta, emit) => {
          for (const size of [1, 2]) emit({ key: value, value: size }, meta);
        },
        // Does one step of its restriction, and waits to be split; the last step ends by itself.
        "read/process": (value, meta, emit, { harness, later, onSplit }) => {
          harness.namesSources = sdk !== java;
          const { key, value: size } = value as KV<KV<unknown, number>, number>;
          emit(key.value * 10 + size, meta);
          if (key.value === 1) return;
          return new Promise<void>((resolve) =>
            onSplit(() => {
              splits++;
              later({ key: { key: key.key, value: key.value - 1 }, value: size }, meta);
              resolve();
            }),
          );
        },
        use: (value) => void used.push(value),
      },
      { runtime: { remoteBundleElements: bundleElements, remoteBatchMs: 100 }, capabilities: [`beam:version:sdk_base:${sdk}`] },
    );
    await job.result;
    assert.equal(splits, 4);
    // Beam Java does not say which source it has split. Beam Go processes an element that it says it has not begun where it is to keep nothing at all.
    const keeps = jobs.pool.harnesses.flatMap(({ fractions }) => fractions);
    assert.ok(keeps.length > 0 && keeps.every((fraction) => (sdk === go ? fraction > 0 && fraction < 0.001 : fraction === 0)));
    assert.deepEqual(
      used.toSorted((a, b) => Number(a) - Number(b)),
      [11, 12, 21, 22, 31, 32],
    );
  });

  it("has a task that has nothing to do take a share of what another one works on", async () => {
    const p = reading("any");
    const used: unknown[] = [];
    const fractions = new Set<number>();
    let atWork = 0;
    let mostAtWork = 0;
    const job = await jobs.start(
      p,
      {
        "read/pair": (value, meta, emit) => emit({ key: value, value: [0, 20] }, meta),
        "read/split": (value, meta, emit) => emit({ key: value, value: 1 }, meta),
        // Does one step of its restriction, and waits to be split for as long as there is more.
        "read/process": async (value, meta, emit, { later, onSplit }) => {
          const { key, value: size } = value as KV<KV<unknown, [number, number]>, number>;
          const [at, end] = key.value;
          let left = end;
          emit(at, meta);
          mostAtWork = Math.max(mostAtWork, ++atWork);
          for (let isOver = at + 1 >= left; !isOver;)
            await new Promise<void>((resolve) =>
              onSplit((fraction) => {
                fractions.add(fraction);
                const from = at + 1 + Math.floor((left - at - 1) * fraction);
                if (from < left) later({ key: { key: key.key, value: [from, left] }, value: size }, meta);
                left = from;
                isOver = at + 1 >= left;
                resolve();
              }),
            );
          atWork--;
        },
        use: (value) => void used.push(value),
      },
      { parallelism: 2, runtime: { remoteBatchMs: 100 } },
    );
    await job.result;
    assert.deepEqual(
      used.toSorted((a, b) => Number(a) - Number(b)),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.deepEqual(fractions, new Set([0, 0.5]));
    assert.equal(mostAtWork, 2);
  });
});
