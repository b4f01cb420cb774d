import assert from "node:assert/strict";
import { ByteReader, ByteWriter, intervalWindowCoder } from "../../../../portability/coders/index.js";
import { windowFnToProto } from "../../../../portability/payloads/window-fns.js";
import { FixedWindows } from "../../../../portability/windows/index.js";
import { ElementMeta, IntervalWindow } from "../../../../portability/values/index.js";
import type { FakeBundle, FakeTransform } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { count, describeRemote, remote } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, with side inputs", (jobs) => {
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
    const job = await jobs.start(p, {
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

  it("serves side inputs, and those without elements as empty ones", async () => {
    const p = new PipelineBuilder();
    const side = p.parDo("side", p.impulse("second impulse"), "increment", remote);
    const none = p.parDo("none", p.impulse("third impulse"), "increment", remote);
    p.parDoWithSideInputs("read", p.impulse(), [side, none], remote);
    const seen: unknown[] = [];
    const job = await jobs.start(p, {
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
      const job = await jobs.start(
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
});
