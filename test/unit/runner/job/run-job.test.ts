import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { CancelledError, PipelineError } from "../../../../portability/stage-host/index.js";
import { kv, type KV } from "../../../../portability/values/index.js";
import { inProcessLauncher, planPipeline, runJob, type RuntimeOptions } from "../../../../runner/index.js";
import { FakeStageHost, type FakeFunction } from "../../../support/fake-stage-host.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { topologyOf } from "../../../support/topologies.js";

const ROOMY: Partial<RuntimeOptions> = {};
const TINY: Partial<RuntimeOptions> = { channelBytes: 1, bundleElements: 1 };

const numbers =
  (count: number): FakeFunction =>
  (_value, meta, emit) => {
    for (let i = 0; i < count; i++) emit(i, meta);
  };

const relay = (parallelism = 1) =>
  topologyOf(
    [
      { id: "numbers", outputs: ["n"] },
      { id: "double", outputs: ["d"], parallelism },
      { id: "collect", parallelism: 1 },
    ],
    [
      { from: "numbers", pcollection: "n", to: "double", grouping: "shuffle", coder: "int" },
      { from: "double", pcollection: "d", to: "collect", grouping: "shuffle", coder: "int" },
    ],
  );

const double: FakeFunction = (value, meta, emit) => emit((value as number) * 2, meta);

describe("runJob", () => {
  for (const [credits, runtime] of Object.entries({ roomy: ROOMY, tiny: TINY }))
    for (const workers of [1, 2])
      for (const parallelism of [1, 2, 4])
        context(`with ${parallelism} tasks on ${workers} workers and ${credits} credits`, () => {
          it("delivers every element of a relay once", async () => {
            const seen: number[] = [];
            const functions = { numbers: numbers(500), double, collect: ((value) => void seen.push(value as number)) as FakeFunction };
            const job = runJob(relay(parallelism), { workers, runtime, launcher: inProcessLauncher(() => new FakeStageHost(functions)) });
            const metrics = await job.result;
            assert.deepEqual(
              seen.sort((a, b) => a - b),
              Array.from({ length: 500 }, (_, i) => i * 2),
            );
            assert.equal(job.state, "DONE");
            assert.equal(metrics.elements.get("n"), 500);
            assert.equal(metrics.elements.get("d"), 500);
            assert.equal(metrics.components[1].elementsIn, 500);
          });

          it("groups by key", async () => {
            const groups = new Map<string, number[]>();
            const topology = topologyOf(
              [{ id: "pairs", outputs: ["p"] }, { id: "group", outputs: ["g"], parallelism, groups: "global" }, { id: "collect" }],
              [
                { from: "pairs", pcollection: "p", to: "group", grouping: "fields", coder: "pair" },
                { from: "group", pcollection: "g", to: "collect", grouping: "shuffle", coder: "group" },
              ],
            );
            const functions: Record<string, FakeFunction> = {
              pairs: (_value, meta, emit) => {
                for (let i = 0; i < 600; i++) emit(kv(`k${i % 30}`, i), meta);
              },
              group: (value, meta, emit) => emit(value, meta),
              collect: (value) => {
                const { key, value: values } = value as KV<string, number[]>;
                assert.ok(!groups.has(key), `key ${key} came twice`);
                groups.set(key, values);
              },
            };
            await runJob(topology, { workers, runtime, launcher: inProcessLauncher(() => new FakeStageHost(functions)) }).result;
            assert.equal(groups.size, 30);
            for (const [key, values] of groups)
              assert.deepEqual(
                values,
                Array.from({ length: 20 }, (_, i) => i * 30 + Number(key.slice(1))),
              );
          });
        });

  it("waits for asynchronous user code, in flight up to its bound", async () => {
    const seen: number[] = [];
    let inFlight = 0;
    let most = 0;
    const host = new FakeStageHost(
      {
        numbers: numbers(50),
        double: async (value, meta, emit) => {
          most = Math.max(most, ++inFlight);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight--;
          emit((value as number) * 2, meta);
        },
        collect: (value) => void seen.push(value as number),
      },
      4,
    );
    await runJob(relay(), { launcher: inProcessLauncher(() => host) }).result;
    assert.equal(seen.length, 50);
    assert.ok(most > 1 && most <= 4, `${most} in flight`);
  });

  it("lets a long output pause and resume", async () => {
    let seen = 0;
    let pauses = 0;
    const host = new FakeStageHost({
      numbers: async (_value, meta, emit, context) => {
        for (let i = 0; i < 2000; i++) {
          emit(i, meta);
          if (context.shouldPause()) {
            pauses++;
            await context.resume();
          }
        }
      },
      double,
      collect: () => void seen++,
    });
    await runJob(relay(), { launcher: inProcessLauncher(() => host), runtime: { channelBytes: 512, bundleBytes: 256 } }).result;
    assert.equal(seen, 2000);
    assert.ok(pauses > 10, `${pauses} pauses`);
  });

  it("fails with the first error, closes all executors and the host", async () => {
    const error = new Error("no");
    const host = new FakeStageHost({
      numbers: numbers(10),
      double: () => {
        throw error;
      },
      collect: () => {},
    });
    const job = runJob(relay(2), { launcher: inProcessLauncher(() => host) });
    await assert.rejects(job.result, (thrown) => thrown === error);
    assert.equal(job.state, "FAILED");
    assert.equal(host.events.filter((event) => event.startsWith("close")).length, 4);
    assert.ok(host.closed);
    assert.equal(job.messages.at(-1)?.text, "no");
  });

  it("fails when asynchronous user code rejects", async () => {
    const host = new FakeStageHost({ numbers: numbers(10), double: () => Promise.reject(new Error("later")), collect: () => {} });
    await assert.rejects(runJob(relay(), { launcher: inProcessLauncher(() => host) }).result, /later/);
  });

  it("can be cancelled while user code is waiting", async () => {
    const host = new FakeStageHost({ numbers: numbers(10), double: () => new Promise(() => {}), collect: () => {} });
    const job = runJob(relay(), { launcher: inProcessLauncher(() => host) });
    const states: string[] = [];
    job.state$.subscribe((state) => {
      states.push(state);
      if (state === "RUNNING") setTimeout(() => void job.cancel(), 20);
    });
    await assert.rejects(job.result, CancelledError);
    assert.deepEqual(states.slice(-3), ["RUNNING", "CANCELLING", "CANCELLED"]);
    assert.ok(host.events.includes("close double"));
  });

  it("refuses windows that merge in a way it does not know, and triggers that are none, before anything runs", () => {
    const host = new FakeStageHost({});
    for (const [groups, code] of [
      ["sessions", "windows_merge"],
      ["repeated nothing", "malformed_trigger"],
    ]) {
      const topology = topologyOf(
        [
          { id: "pairs", outputs: ["p"] },
          { id: "group", groups },
        ],
        [{ from: "pairs", pcollection: "p", to: "group", grouping: "fields", coder: "pair" }],
      );
      assert.throws(
        () => runJob(topology, { launcher: inProcessLauncher(() => host) }),
        (error) => error instanceof PipelineError && error.code === code && error.message.includes("group group"),
      );
    }
    assert.deepEqual(host.events, []);
  });

  it("fails, and nothing else, when a script cannot be read", async () => {
    const p = new PipelineBuilder();
    const events = [{ elementEvent: { elements: [{ encodedElement: Uint8Array.of(9, 1) }] } }]; // eight bytes too few
    const payload = beam.pipeline.TestStreamPayload.encode({ coderId: "bytes", events }).finish();
    p.add("script", { spec: { urn: "beam:transform:teststream:v1", payload } }, [], [p.pcollection("script.0", "bytes")], {});
    p.parDo("use", "script.0");
    const job = runJob(planPipeline(p.build(), { parallelism: 1 }), {
      launcher: inProcessLauncher(() => new FakeStageHost({ use: () => {} })),
    });
    await assert.rejects(job.result, { name: "CoderError" });
  });
}).timeout(20_000);
