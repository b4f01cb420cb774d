import assert from "node:assert/strict";
import { ElementMeta, kv, OpaqueWindow, type KV, type Window } from "../../../../portability/values/index.js";
import type { FakeTransform } from "../../../support/fake-harness.js";
import type { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { count, describeRemote, grouping } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, with windows that only their SDK knows", (jobs) => {
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
      emit({ key: "k", value }, new ElementMeta(timestamp, [named(`${(value as number) % 2}${value as number}`, value as number)], pane)),
    collect: (value, { windows, timestamp }) => {
      const { value: values } = value as KV<unknown, number[]>;
      groups.push(`${nameOf(windows[0])} ${values.toSorted((a, b) => a - b).join()} at ${timestamp}`);
    },
  });

  it("groups by them, and knows when they end", async () => {
    const groups: string[] = [];
    await (
      await jobs.start(windowed(1), collecting(groups))
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
      await jobs.start(windowed(2), { ...collecting(groups), merge })
    ).result;
    assert.deepEqual(groups, ["11 1 at 1", "even 0,2 at 2", "13 3 at 3"]);
  });

  it("fails with its words where it cannot merge them", async () => {
    const fails: FakeTransform = () => {
      throw new Error("no two windows are alike");
    };
    const job = await jobs.start(windowed(2), { ...collecting([]), merge: fails });
    await assert.rejects(job.result, /merging of windows failed in transform "windows of test:windows"[^]*no two windows are alike/);
  });
});
