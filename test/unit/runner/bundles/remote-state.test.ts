import assert from "node:assert/strict";
import { ByteWriter, ValueCoder } from "../../../../portability/coders/index.js";
import { beam } from "../../../../portability/protos/index.js";
import { GlobalWindow, MAX_TIMESTAMP, NO_FIRING, type ElementMeta, type KV } from "../../../../portability/values/index.js";
import type { FakeFiring, FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { count, describeRemote, remote } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, with state and timers", (jobs) => {
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

  const bagOf = (key: unknown): beam.fn.IStateKey => {
    const writer = new ByteWriter();
    new ValueCoder().encode(key as string, writer);
    const prefixed = Uint8Array.of(writer.length, ...writer.toBytes());
    return { bagUserState: { transformId: "remember", userStateId: "bag", window: new Uint8Array(0), key: prefixed } };
  };

  it("keeps the state of each key in the midst of a stage, and none of what a failed bundle has done", async () => {
    const p = new PipelineBuilder();
    const numbers = p.reshuffle("again", p.parDo("numbers", p.impulse(), "increment", remote));
    p.parDo("tell", p.parDo("remember", p.parDo("key", numbers, "key by mod 3", remote), "increment", remote), "increment", remote);
    p.transforms["remember"].spec!.payload = beam.pipeline.ParDoPayload.encode({
      doFn: { urn: "test:fn" },
      stateSpecs: { bag: { bagSpec: { elementCoderId: "any" }, protocol: { urn: "beam:user_state:bag:v1" } } },
    }).finish();
    p.requirements.push("beam:requirement:pardo:stateful:v1");
    const told: string[] = [];
    let failures = 0;
    const functions: Record<string, FakeTransform> = {
      ...keys,
      numbers: count(9),
      remember: async (element, meta, emit, { state, change }) => {
        const { key, value } = element as KV<string, number>;
        const cell = bagOf(key);
        const before = (await state(cell)).get!.data!.length;
        await change(cell, Buffer.from([value]));
        if (value === 7 && failures++ === 0) throw new Error("once");
        emit(`${key} ${before}`, meta);
      },
      tell: (value) => void told.push(value as string),
    };
    const job = await jobs.start(p, functions, { joinsState: true, runtime: { remoteBundleElements: 1, retryDelayMs: 0 } });
    await job.result;
    assert.equal(failures, 2);
    assert.deepEqual(
      told.sort(),
      ["k0", "k1", "k2"].flatMap((key) => [0, 1, 2].map((before) => `${key} ${before}`)),
    );
  });

  it("fires the timers of a key by time, also those that are set meanwhile, and none that is cleared", async () => {
    const fired = new Map<unknown, string[]>();
    const job = await jobs.start(stateful(), {
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
    const job = await jobs.start(p, {
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
    const job = await jobs.start(stateful(), {
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
    const job = await jobs.start(stateful(), {
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
});
