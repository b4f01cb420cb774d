// Beam's trigger transcripts against the grouping itself. The same through a pipeline: test/integration/trigger-transcripts.test.ts.
import assert from "node:assert/strict";
import { ValueCoder } from "../../portability/coders/index.js";
import { ElementMeta, kv, NO_FIRING, type KV } from "../../portability/values/index.js";
import { FixedWindows, globalWindows, mergeOverlapping, Sessions } from "../../portability/windows/index.js";
import { keySpaceOf } from "../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupIntoPanes } from "../../runner/windows/index.js";
import { spanOf, TranscriptCheck, transcripts, type Pane, type Transcript } from "../support/transcripts.js";

function execute({ steps, strategy }: Transcript): void {
  const { windows, shiftMs, panes, ...rest } = strategy;
  const windowFn =
    windows.kind === "global" ? globalWindows : windows.kind === "fixed" ? new FixedWindows(windows.ms) : new Sessions(windows.ms);
  let came: Pane[] = [];
  const grouping = new GroupIntoPanes(
    {
      ...DEFAULT_GROUPING,
      ...rest,
      accumulating: panes === "accumulating",
      merge: windows.kind === "sessions" ? mergeOverlapping : undefined,
      outputTime: shiftMs === 0 ? undefined : (timestamp) => timestamp + shiftMs,
    },
    keySpaceOf(new ValueCoder()),
    (group, { timestamp, windows: [window], pane }) =>
      came.push({ values: (group as KV<string, number[]>).value, window, timestamp, pane }),
    () => 0,
  );
  const check = new TranscriptCheck();
  const drain = (): void => {
    grouping.drain(() => false);
    check.came(came);
    came = [];
  };
  for (const step of steps) {
    if ("expect" in step) {
      check.expect(step.expect);
      continue;
    }
    check.nothingElse();
    if ("watermark" in step) grouping.advance(step.watermark);
    else if ("input" in step)
      for (const timestamp of step.input)
        grouping.process(kv("key", timestamp), new ElementMeta(timestamp, windowFn.assign(timestamp), NO_FIRING));
    else {
      const kept = [...grouping.cells()];
      const keptOf = (span: readonly number[]) => kept.filter(({ window }) => JSON.stringify(spanOf(window)) === JSON.stringify(span));
      for (const span of step.state.present) assert.ok(keptOf(span).some(({ values, closed }) => values.length > 0 && !closed));
      for (const span of step.state.absent) assert.ok(keptOf(span).every(({ values }) => values.length === 0));
      for (const span of step.state.tombstone) assert.ok(keptOf(span).every(({ values, closed }) => values.length === 0 && closed));
    }
    drain();
  }
  check.nothingElse();
}

describe("Beam's trigger transcripts, by the grouping itself", () => {
  const all = transcripts();
  it("are all here", () => assert.equal(all.length, 18));
  for (const transcript of all)
    it(transcript.error === undefined ? transcript.name : `${transcript.name}: ${transcript.error}`, () => {
      if (transcript.error === undefined) execute(transcript);
      else assert.throws(() => execute(transcript), new RegExp(transcript.error));
    });
});
