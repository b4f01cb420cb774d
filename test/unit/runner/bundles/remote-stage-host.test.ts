import assert from "node:assert/strict";
import { filter, firstValueFrom } from "rxjs";
import { ByteReader, ByteWriter, intervalWindowCoder, ValueCoder } from "../../../../portability/coders/index.js";
import { windowFnToProto } from "../../../../portability/payloads/window-fns.js";
import { FixedWindows } from "../../../../portability/windows/index.js";
import { metricToMonitoringInfo, type Metric } from "../../../../portability/metrics/index.js";
import { beam } from "../../../../portability/protos/index.js";
import { METRIC, METRIC_LABEL, METRIC_TYPE, SDK_CAPABILITY } from "../../../../portability/urns/index.js";
import {
  ElementMeta,
  GlobalWindow,
  IntervalWindow,
  kv,
  MAX_TIMESTAMP,
  NO_FIRING,
  OpaqueWindow,
  type KV,
  type Window,
} from "../../../../portability/values/index.js";
import { FnServer, HarnessLostError, RemoteStageHost } from "../../../../runner/bundles/index.js";
import { inProcessLauncher, planPipeline, runJob, type Job, type RuntimeOptions } from "../../../../runner/index.js";
import { FakeWorkerPool, type FakeBundle, type FakeFiring, type FakeHarness, type FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const remote = { environment: "remote" };

/** Emits 0 to n − 1. */
const count =
  (n: number): FakeTransform =>
  (_value, meta, emit) => {
    for (let i = 0; i < n; i++) emit(i, meta);
  };

for (const embeds of [false, true])
  describe(embeds ? "RemoteStageHost, elements with orders and answers" : "RemoteStageHost", () => {
    let server: FnServer;
    let pool: FakeWorkerPool;

    beforeEach(async () => {
      server = await FnServer.open();
    });

    afterEach(async () => {
      await pool?.close();
      await server.close();
    });

    interface Settings {
      readonly runtime?: Partial<RuntimeOptions>;
      readonly parallelism?: number;
      readonly connects?: boolean;
      readonly silenceMs?: number;
      readonly capabilities?: string[];
      readonly progressMs?: number;
      readonly onLog?: (entry: beam.fn.ILogEntry) => void;
    }

    const start = async (
      p: PipelineBuilder,
      functions: Record<string, FakeTransform>,
      { runtime, parallelism = 1, connects, silenceMs, progressMs, capabilities, onLog }: Settings = {},
    ): Promise<Job> => {
      pool = await FakeWorkerPool.open(functions, connects, embeds);
      const embedding = embeds ? [SDK_CAPABILITY.CONTROL_REQUEST_ELEMENTS_EMBEDDING] : [];
      p.environments["remote"] = { ...pool.environment, capabilities: [...(capabilities ?? []), ...embedding] };
      p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
      p.windowingStrategies["global"].windowCoderId = "window";
      const topology = planPipeline(p.build(), { parallelism });
      const launcher = inProcessLauncher(
        () => new RemoteStageHost({ jobId: "j", server, silenceMs, progressMs, onLog, connectTimeoutMs: connects === false ? 50 : 10_000 }),
      );
      return runJob(topology, { launcher, runtime });
    };

    /** impulse → "numbers" → grouped by "key" → "collect" */
    const grouping = (): PipelineBuilder => {
      const p = new PipelineBuilder();
      const keyed = p.parDo("key", p.parDo("numbers", p.impulse(), "increment", remote), "key by mod 3", remote);
      p.parDo("collect", p.groupByKey("group", keyed), "increment", remote);
      return p;
    };

    const sumsByKey = (sums: Map<unknown, number>, n: number): Record<string, FakeTransform> => ({
      numbers: count(n),
      key: (value, meta, emit) => emit({ key: `k${(value as number) % 3}`, value }, meta),
      collect: (value) => {
        const { key, value: values } = value as KV<unknown, number[]>;
        sums.set(
          key,
          values.reduce((sum, each) => sum + each, 0),
        );
      },
    });

    for (const [parallelism, runtime] of [
      [1, undefined],
      [3, { channelBytes: 4096, batchBytes: 512, remoteBundleElements: 7 }],
    ] as const)
      it(`groups what it only knows as bytes, with ${parallelism} tasks and ${runtime ? "tiny" : "ordinary"} buffers`, async () => {
        const sums = new Map<unknown, number>();
        const n = 3000;
        const job = await start(grouping(), sumsByKey(sums, n), { parallelism, runtime });
        const metrics = await job.result;
        const expected = [0, 1, 2].map(
          (k) => [`k${k}`, Array.from({ length: n / 3 }, (_, i) => 3 * i + k).reduce((a, b) => a + b)] as const,
        );
        assert.deepEqual(sums, new Map(expected));
        assert.equal(metrics.elements.get("key.0"), n);
      });

    it(`has elements come ${embeds ? "with the order, unless they are too large to wait for all of them" : "behind the order"}`, async () => {
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
        await start(p, functions, { runtime: { remoteBundleElements: 1 } })
      ).result;
      assert.deepEqual(came, [
        [3, embeds],
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
        const job = await start(grouping(), functions, { capabilities });
        await job.result;
        if (capabilities.length === 0) assert.deepEqual([inline, pages], [n, []]);
        else
          assert.ok(
            read === n && inline < n / 2 && Math.max(...pages) < 1.1 * (1 << 20),
            `${read} read, ${inline} inline, pages of ${pages.join()}`,
          );
      });

    context("with windows that only their SDK knows", () => {
      const named = (name: string, end: number): OpaqueWindow => new OpaqueWindow(end, Buffer.from(name));
      const nameOf = (window: Window): string => Buffer.from((window as OpaqueWindow).encoded).toString();

      const windowed = (mergeStatus: number): PipelineBuilder => {
        const p = grouping();
        const strategy = { windowFn: { urn: "test:windows" }, mergeStatus, trigger: { default: {} }, environmentId: "remote" };
        p.windowingStrategies["own"] = { ...strategy, windowCoderId: "any" };
        for (const id of ["key.0", "group.0", "collect.0"]) p.pcollections[id].windowingStrategyId = "own";
        return p;
      };

      const collecting = (groups: string[]): Record<string, FakeTransform> => ({
        numbers: count(4),
        key: (value, { timestamp, pane }, emit) =>
          emit(
            { key: "k", value },
            new ElementMeta(timestamp, [named(`${(value as number) % 2}${value as number}`, value as number)], pane),
          ),
        collect: (value, { windows, timestamp }) => {
          const { value: values } = value as KV<unknown, number[]>;
          groups.push(`${nameOf(windows[0])} ${values.toSorted((a, b) => a - b).join()} at ${timestamp}`);
        },
      });

      it("groups by them, and knows when they end", async () => {
        const groups: string[] = [];
        await (
          await start(windowed(1), collecting(groups))
        ).result;
        assert.deepEqual(groups, ["00 0 at 0", "11 1 at 1", "02 2 at 2", "13 3 at 3"]);
      });

      /** Even ones merge, odd ones do not. */
      const merge: FakeTransform = (value, meta, emit) => {
        const { key, value: windows } = value as KV<unknown, OpaqueWindow[]>;
        const even = windows.filter((window) => nameOf(window).startsWith("0"));
        const into = named("even", Math.max(...even.map(({ maxTimestamp }) => maxTimestamp)));
        emit(
          kv(
            key,
            kv(
              windows.filter((window) => !even.includes(window)),
              [kv(into, even)],
            ),
          ),
          meta,
        );
      };

      it("has its code merge them", async () => {
        const groups: string[] = [];
        await (
          await start(windowed(2), { ...collecting(groups), merge })
        ).result;
        assert.deepEqual(groups, ["11 1 at 1", "even 0,2 at 2", "13 3 at 3"]);
      });

      it("fails with its words where it cannot merge them", async () => {
        const fails: FakeTransform = () => {
          throw new Error("no two windows are alike");
        };
        const job = await start(windowed(2), { ...collecting([]), merge: fails });
        await assert.rejects(job.result, /merging of windows failed in transform "windows of test:windows"[^]*no two windows are alike/);
      });
    });

    it("gives all of a side input's window where windows end, whatever panes it came in", async () => {
      const p = new PipelineBuilder();
      const side = p.parDo("side", p.impulse("second impulse"), "increment", remote);
      const main = p.parDo("main", p.impulse(), "increment", remote);
      p.parDoWithSideInputs("read", main, [side], remote);
      p.coders["interval"] = { spec: { urn: "beam:coder:interval_window:v1" } };
      const { trigger, ...fixed } = {
        windowFn: windowFnToProto(new FixedWindows(10)),
        mergeStatus: 1,
        windowCoderId: "interval",
        trigger: { afterEndOfWindow: { earlyFirings: { elementCount: { elementCount: 1 } } } },
        accumulationMode: 1,
      };
      p.windowingStrategies["in panes"] = { ...fixed, trigger };
      p.windowingStrategies["fixed"] = { ...fixed, trigger: { default: {} } };
      p.pcollections[side].windowingStrategyId = "in panes";
      for (const id of [main, "read.0"]) p.pcollections[id].windowingStrategyId = "fixed";
      const window = new IntervalWindow(0, 10);
      const inWindow =
        (n: number): FakeTransform =>
        (_value, { pane }, emit) => {
          for (let i = 0; i < n; i++) emit(i, new ElementMeta(i, [window], pane));
        };
      const writer = new ByteWriter();
      intervalWindowCoder.encode(window, writer, true);
      const encoded = writer.toBytes();
      let whole = 0;
      const job = await start(p, {
        side: inWindow(3),
        main: inWindow(1),
        read: async (_value, _meta, _emit, { state }) => {
          const { get } = await state({ iterableSideInput: { transformId: "read", sideInputId: "side0", window: encoded } });
          for (const reader = new ByteReader(get!.data!); reader.remaining > 0; whole++) reader.skip(reader.readLength());
        },
      });
      await job.result;
      assert.equal(whole, 3);
    });

    it("ends the harness with the job and tells its pool", async () => {
      const job = await start(grouping(), sumsByKey(new Map(), 5));
      await job.result;
      await pool.harnesses[0].ended;
      assert.deepEqual(pool.stopped, [pool.harnesses[0].workerId]);
      assert.equal(pool.harnesses.length, 1);
    });

    it("serves side inputs, and those without elements as empty ones", async () => {
      const p = new PipelineBuilder();
      const side = p.parDo("side", p.impulse("second impulse"), "increment", remote);
      const none = p.parDo("none", p.impulse("third impulse"), "increment", remote);
      p.parDoWithSideInputs("read", p.impulse(), [side, none], remote);
      const seen: unknown[] = [];
      const job = await start(p, {
        side: count(3),
        none: () => {},
        read: async (_value, _meta, _emit, { state }) => {
          for (const sideInputId of ["side0", "side1"])
            seen.push(
              (await state({ iterableSideInput: { transformId: "read", sideInputId, window: new Uint8Array(0) } })).get?.data?.length,
            );
          seen.push((await state({ bagUserState: { transformId: "read", userStateId: "s" } })).error);
        },
      });
      await job.result;
      assert.ok((seen[0] as number) >= 3);
      assert.deepEqual(seen.slice(1), [0, "[UNIMPLEMENTED] state of the kind bagUserState is not supported yet"]);
    });

    /** impulse → "numbers" → keyed by "key" → "remember", with a bag and timers of both domains */
    const stateful = (): PipelineBuilder => {
      const p = new PipelineBuilder();
      const keyed = p.parDo("key", p.parDo("numbers", p.impulse(), "increment", remote), "key by mod 3", remote);
      p.parDo("remember", keyed, "increment", remote);
      p.coders["timer"] = { spec: { urn: "beam:coder:timer:v1" }, componentCoderIds: [p.coders["kv"].componentCoderIds![0], "window"] };
      p.transforms["remember"].spec!.payload = beam.pipeline.ParDoPayload.encode({
        doFn: { urn: "test:fn" },
        stateSpecs: { bag: { bagSpec: { elementCoderId: "any" }, protocol: { urn: "beam:user_state:bag:v1" } } },
        timerFamilySpecs: {
          event: { timeDomain: beam.pipeline.TimeDomain.Enum.EVENT_TIME, timerFamilyCoderId: "timer" },
          processing: { timeDomain: beam.pipeline.TimeDomain.Enum.PROCESSING_TIME, timerFamilyCoderId: "timer" },
        },
      }).finish();
      p.requirements.push("beam:requirement:pardo:stateful:v1");
      return p;
    };
    const timerOf = (key: unknown, meta: ElementMeta, tag: string, at: number) =>
      ({ key, tag, windows: meta.windows, cleared: false, fireTimestamp: at, holdTimestamp: at, pane: NO_FIRING }) as const;
    const keys: Record<string, FakeTransform> = {
      numbers: count(3),
      key: (value, meta, emit) => emit({ key: `k${(value as number) % 3}`, value }, meta),
    };

    it("fires the timers of a key by time, also those that are set meanwhile, and none that is cleared", async () => {
      const fired = new Map<unknown, string[]>();
      const job = await start(stateful(), {
        ...keys,
        remember: (element, meta, _emit, { timer }) => {
          const { key } = element as KV<unknown, unknown>;
          for (const [tag, at] of [["d", 40], ["a", 10], ["c", 30]] as const) timer("event", timerOf(key, meta, tag, at)); // prettier-ignore
        },
        "remember/event": (value, meta, _emit, { timer }) => {
          const { key, tag, fireTimestamp } = value as FakeFiring;
          fired.set(key, [...(fired.get(key) ?? []), `${tag}${fireTimestamp}`]);
          if (tag === "a") timer("event", timerOf(key, meta, "b", 20));
          if (tag === "b") timer("event", { key, tag: "d", windows: meta.windows, cleared: true });
          if (tag === "c") timer("processing", timerOf(key, meta, "p", 1));
        },
        "remember/processing": (value) => void fired.get((value as FakeFiring).key)!.push((value as FakeFiring).tag),
      });
      await job.result;
      const each = ["a10", "b20", "c30", "p"];
      assert.deepEqual(fired, new Map(["k0", "k1", "k2"].map((key) => [key, each])));
    });

    it("fires the timers of keys that are pairs", async () => {
      const fired: number[] = [];
      const p = stateful();
      p.coders["pair"] = { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["any", "any"] };
      p.coders["kv"] = { ...p.coders["kv"], componentCoderIds: ["pair", "any"] };
      p.coders["timer"] = { ...p.coders["timer"], componentCoderIds: ["pair", "window"] };
      const job = await start(p, {
        numbers: count(2),
        key: (value, meta, emit) => emit({ key: { key: "k", value }, value }, meta),
        remember: (element, meta, _emit, { timer }) => {
          timer("event", timerOf((element as KV<unknown, unknown>).key, meta, "t", 10));
        },
        "remember/event": (value) => void fired.push(((value as FakeFiring).key as KV<unknown, number>).value),
      });
      await job.result;
      assert.deepEqual(
        fired.toSorted((a, b) => a - b),
        [0, 1],
      );
    });

    it("fires a timer that has no output timestamp at the end of time", async () => {
      const fired: number[][] = [];
      const job = await start(stateful(), {
        ...keys,
        remember: (element, meta, _emit, { timer }) => {
          const { key } = element as KV<unknown, unknown>;
          for (const [tag, holdTimestamp] of [
            ["none", MAX_TIMESTAMP],
            ["end", MAX_TIMESTAMP - 60_000],
          ] as const)
            // prettier-ignore
            timer("event", { ...timerOf(key, meta, tag, 10), holdTimestamp });
        },
        "remember/event": (value) => {
          const { key, tag, holdTimestamp } = value as FakeFiring;
          if (key === "k0") fired[tag === "none" ? 0 : 1] = [holdTimestamp];
        },
      });
      await job.result;
      assert.deepEqual(fired, [[MAX_TIMESTAMP], [GlobalWindow.instance.maxTimestamp]]);
    });

    it("keeps state by key, and nothing of what a failed bundle has done to it", async () => {
      const found = new Map<unknown, string>();
      let failures = 1;
      const bagOf = (key: unknown): beam.fn.IStateKey => {
        const writer = new ByteWriter();
        new ValueCoder().encode(key as string, writer);
        const prefixed = Uint8Array.of(writer.length, ...writer.toBytes());
        return { bagUserState: { transformId: "remember", userStateId: "bag", window: new Uint8Array(0), key: prefixed } };
      };
      const job = await start(stateful(), {
        ...keys,
        numbers: count(9),
        remember: async (element, meta, _emit, { change, state, timer }) => {
          const { key } = element as KV<unknown, unknown>;
          const stateKey = bagOf(key);
          await change(stateKey, Buffer.from("x"));
          const { get } = await state(stateKey);
          if (Buffer.from(get!.data!).toString() === "xx" && failures-- > 0) throw new Error("the second of a key");
          timer("event", timerOf(key, meta, "", 10));
        },
        "remember/event": async (value, _meta, _emit, { state, change }) => {
          const { key } = value as FakeFiring;
          const stateKey = bagOf(key);
          found.set(key, Buffer.from((await state(stateKey)).get!.data!).toString());
          await change(stateKey);
          assert.equal((await state(stateKey)).get!.data!.length, 0);
        },
      });
      await job.result;
      assert.deepEqual(found, new Map(["k0", "k1", "k2"].map((key) => [key, "xxx"])));
    });

    it("has a bundle finalized once it is committed", async () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.impulse(), "increment", remote);
      const { spec } = p.transforms["use"];
      spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, requestsFinalization: true }).finish();
      p.requirements.push("beam:requirement:pardo:finalization:v1");
      const job = await start(p, { use: (_value, _meta, _emit, { finalize }) => finalize() });
      await job.result;
      const [{ finalized, wantFinalization }] = pool.harnesses;
      assert.deepEqual([finalized, finalized.length], [wantFinalization, 1]);
    });

    it("gives back what a bundle hands back, until nothing is", async () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.parDo("read", p.impulse(), "increment", remote), "increment", remote);
      const { spec } = p.transforms["read"];
      p.coders["range"] = { spec: { urn: "beam:coder:varint:v1" } };
      spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, restrictionCoderId: "range" }).finish();
      const used: unknown[] = [];
      const job = await start(p, {
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
      const p = new PipelineBuilder();
      p.parDo("use", p.parDo("read", p.impulse(), "increment", remote), "increment", remote);
      p.coders["range"] = { spec: { urn: "beam:coder:varint:v1" } };
      p.transforms["read"].spec!.payload = beam.pipeline.ParDoPayload.encode({
        doFn: { urn: "test:fn" },
        restrictionCoderId: "range",
      }).finish();
      let splits = 0;
      const job = await start(
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
      const p = new PipelineBuilder();
      p.parDo("use", p.parDo("read", p.impulse(), "increment", remote), "increment", remote);
      const { spec } = p.transforms["read"];
      p.coders["range"] = { spec: { urn: "beam:coder:varint:v1" } };
      spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, restrictionCoderId: "range" }).finish();
      const used: unknown[] = [];
      let splits = 0;
      const job = await start(
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
      const keeps = pool.harnesses.flatMap(({ fractions }) => fractions);
      assert.ok(keeps.length > 0 && keeps.every((fraction) => (sdk === go ? fraction > 0 && fraction < 0.001 : fraction === 0)));
      assert.deepEqual(
        used.toSorted((a, b) => Number(a) - Number(b)),
        [11, 12, 21, 22, 31, 32],
      );
    });

    it("has a task that has nothing to do take a share of what another one works on", async () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.parDo("read", p.impulse(), "increment", remote), "increment", remote);
      const { spec } = p.transforms["read"];
      spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, restrictionCoderId: "any" }).finish();
      const used: unknown[] = [];
      const fractions = new Set<number>();
      let atWork = 0;
      let mostAtWork = 0;
      const job = await start(
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

    context("with metrics", () => {
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
        const job = await start(counting(), functions, { runtime: { remoteBundleElements: 1 } });
        const { user, committed, elements, committedElements } = await job.result;
        assert.equal(bundles, 5);
        assert.deepEqual([valuesOf(user), valuesOf(committed)], [["count 15"], ["count 15"]]);
        assert.deepEqual([elements.get("inner"), committedElements.get("inner")], [10, 10]);
        const { askedNames } = pool.harnesses[0];
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
        const job = await start(counting(), functions, { progressMs: 10 });
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
        const { user, committed, elements } = await (await start(counting(), functions, { progressMs: 5 })).result;
        assert.deepEqual([valuesOf(user), valuesOf(committed)], [["count 6"], ["count 3"]]);
        assert.equal(elements.get("inner"), 2);
      });

      it("fails a harness whose metrics cannot be read", async () => {
        const broken = { ...requests(0), payload: Uint8Array.of(0xff) };
        const functions: Record<string, FakeTransform> = {
          numbers: count(1),
          count: (_value, _meta, _emit, { counted }) => counted([broken]),
        };
        const job = await start(counting(), functions, { runtime: { bundleAttempts: 1 } });
        await assert.rejects(job.result, /environment "remote" answers what cannot be read/);
      });
    });

    context("with side inputs that a harness may cache", () => {
      const tokensOf = ({ order }: FakeBundle): string[] =>
        (order.cacheTokens ?? []).map(
          ({ sideInput, token }) => `${sideInput?.transformId} ${sideInput?.sideInputId} ${Buffer.from(token!).toString()}`,
        );

      it("gives one token for all bundles of all tasks as long as the content is the same, another one to each side input", async () => {
        const p = new PipelineBuilder();
        const side = p.parDo("side", p.impulse("second impulse"), "increment", remote);
        const none = p.parDo("none", p.impulse("third impulse"), "increment", remote);
        const dealt = p.reshuffle("deal", p.parDo("numbers", p.impulse(), "increment", remote));
        p.parDoWithSideInputs("read", dealt, [side, none], remote);
        const tokens = new Set<string>();
        const bundles = new Set<string>();
        const job = await start(
          p,
          {
            numbers: count(12),
            side: count(3),
            none: () => {},
            read: async (_value, _meta, _emit, bundle) => {
              bundles.add(bundle.instructionId);
              for (const token of tokensOf(bundle)) tokens.add(token);
              for (const sideInputId of ["side0", "side1"])
                await bundle.state({ iterableSideInput: { transformId: "read", sideInputId, window: new Uint8Array(0) } });
            },
          },
          { parallelism: 2, runtime: { remoteBundleElements: 2 } },
        );
        await job.result;
        assert.ok(bundles.size >= 6);
        const [first, second] = [...tokens].toSorted((a, b) => (a < b ? -1 : 1)).map((token) => token.split(" "));
        assert.equal(tokens.size, 2);
        assert.deepEqual(
          [first.slice(0, 2), second.slice(0, 2)],
          [
            ["read", "side0"],
            ["read", "side1"],
          ],
        );
        assert.notEqual(first[2], second[2]);
      });
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
      const job = await start(p, { a: count(3), b: count(2), use: (value) => void used.push(value) });
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
      const job = await start(p, { slow: () => released, fast: () => release() });
      await job.result;
    });

    context("when something fails", () => {
      it("fails the job with the transform and what the SDK said", async () => {
        const job = await start(grouping(), {
          ...sumsByKey(new Map(), 10),
          key: () => {
            throw new Error("division by zero [while running 'key by letter']");
          },
        });
        await assert.rejects(job.result, { name: "UserCodeError", message: /in transform "key by letter": Traceback: division by zero/ });
        assert.deepEqual(pool.stopped.length, 1);
      });

      it("tries the bundle again at the same harness, and shows nothing of what has failed", async () => {
        const sums = new Map<string, number>();
        const functions = sumsByKey(sums, 10);
        let failures = 0;
        const job = await start(
          grouping(),
          {
            ...functions,
            key: (value, meta, emit, more) => {
              void functions["key"](value, meta, emit, more);
              if (value === 7 && failures++ < 2) throw new Error("not yet");
            },
          },
          { runtime: { retryDelayMs: 0 } },
        );
        const { components } = await job.result;
        assert.deepEqual(
          [...sums.values()].sort((a, b) => a - b),
          [12, 15, 18],
        );
        assert.equal(
          components.reduce((sum, { retries }) => sum + retries, 0),
          2,
        );
        assert.equal(pool.stopped.length, 1);
      });

      const never = (): Promise<void> => new Promise(() => {});

      /** How a harness can be lost, and what it does then with the element that it has. */
      const losses: Record<string, (harness: FakeHarness, instructionId: string) => void | Promise<void>> = {
        "is gone": (harness) => {
          harness.die();
          return never();
        },
        "says nothing any more": (harness) => {
          harness.fallSilent();
          return never();
        },
        "sends what nobody can read": (harness, instructionId) =>
          harness.sendRaw({ data: [{ instructionId, transformId: harness.sinks[0], data: Buffer.from([1, 2, 3]) }] }),
        "answers with something else": (harness, instructionId) => {
          harness.answerRaw({ instructionId, register: {} });
          return never();
        },
      };

      for (const [how, lose] of Object.entries(losses)) {
        it(`does the bundle again at another harness when the one that has it ${how}`, async () => {
          const sums = new Map<string, number>();
          const functions = sumsByKey(sums, 10);
          let lost = 0;
          const job = await start(
            grouping(),
            {
              ...functions,
              key: (value, meta, emit, more) => {
                void functions["key"](value, meta, emit, more);
                if (value !== 7 || lost++ > 0) return;
                return lose(more.harness, more.instructionId);
              },
            },
            { silenceMs: 200 },
          );
          await job.result;
          assert.deepEqual(
            [...sums.values()].sort((a, b) => a - b),
            [12, 15, 18],
          );
          assert.equal(pool.harnesses.length, 2);
          assert.deepEqual(
            pool.stopped,
            pool.harnesses.map(({ workerId }) => workerId),
          );
        });

        it(`fails the job when every harness that has the bundle ${how}`, async () => {
          const job = await start(
            grouping(),
            {
              ...sumsByKey(new Map(), 10),
              key: (_value, _meta, _emit, { harness, instructionId }) => lose(harness, instructionId),
            },
            { silenceMs: 200 },
          );
          await assert.rejects(
            job.result,
            ({ name, message, cause }: Error) =>
              name === "UserCodeError" &&
              /^the work was lost in transform "numbers, key": the SDK harness of environment "remote" .*4 attempts\)$/.test(message) &&
              cause instanceof HarnessLostError,
          );
          assert.equal(pool.harnesses.length, 4);
          assert.equal(pool.stopped.length, 4);
        });
      }

      it("fails the job when a harness is gone and its pool with it", async () => {
        const job = await start(grouping(), {
          ...sumsByKey(new Map(), 10),
          key: () => {
            void pool.close();
            return new Promise(() => {});
          },
        });
        await assert.rejects(
          job.result,
          /environment "remote" .*; another one cannot be had: the worker pool at .* has not started a worker/,
        );
      });

      it("leaves a harness alone that answers, however long its work takes, and tells what it says of itself", async () => {
        let release = (): void => {};
        const released = new Promise<void>((resolve) => (release = resolve));
        const logged: string[] = [];
        const onLog = ({ message }: beam.fn.ILogEntry): void => {
          logged.push(message!);
          release();
        };
        const functions: Record<string, FakeTransform> = {
          ...sumsByKey(new Map(), 1),
          key: async (_value, _meta, _emit, { harness }) => {
            void harness.report("sleeping in line 7");
            await released;
          },
        };
        const job = await start(grouping(), functions, { silenceMs: 100, onLog });
        await job.result;
        assert.match(
          logged[0],
          /^the SDK harness of environment "remote" has worked for 0\.1 s without a result; it says:\nsleeping in line 7$/,
        );
        assert.equal(pool.harnesses.length, 1);
      });

      it("fails the job when a worker that its pool has started never connects", async () => {
        const job = await start(grouping(), {}, { connects: false });
        await assert.rejects(job.result, /environment "remote" has not connected within 0.05 s/);
        assert.equal(pool.stopped.length, 1);
      });

      it("fails the job when nobody listens at the pool's address", async () => {
        const p = grouping();
        pool = await FakeWorkerPool.open({});
        p.environments["remote"] = pool.environment;
        await pool.close();
        const launcher = inProcessLauncher(() => new RemoteStageHost({ jobId: "j", server }));
        const job = runJob(planPipeline(p.build(), { parallelism: 1 }), { launcher });
        await assert.rejects(job.result, /the worker pool at .* has not started a worker/);
      });

      it("can be cancelled while a bundle goes on for ever", async () => {
        let reached = (): void => {};
        const running = new Promise<void>((resolve) => (reached = resolve));
        const job = await start(grouping(), {
          ...sumsByKey(new Map(), 1),
          key: () => {
            reached();
            return new Promise(() => {});
          },
        });
        await running;
        await job.cancel();
        assert.equal(job.state, "CANCELLED");
        await pool.harnesses[0].ended;
      });
    });
  });
