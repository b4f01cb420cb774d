// Beam's trigger transcripts through a pipeline that reads a TestStream. The same by the grouping itself:
// test/conformance/trigger-transcripts.test.ts.
import assert from "node:assert/strict";
import {
  fixed,
  global,
  groupByKey,
  map,
  sessions,
  windowFn,
  windowInto,
  withKeys,
  type IntervalWindow,
  type WindowFn,
  type WindowMerge,
} from "../../sdk/index.js";
import { runPipeline, testStreams } from "../../local/testing.js";
import { TranscriptCheck, transcripts, type Pane, type Transcript, type TranscriptStrategy } from "../support/transcripts.js";

const windowFnOf = ({ windows, shiftMs }: TranscriptStrategy): WindowFn => {
  const plain = plainWindowFn(windows);
  if (shiftMs === 0) return plain;
  return windowFn<unknown, IntervalWindow>({
    name: `shifted by ${shiftMs}`,
    assign: (timestamp) => plain.assign(timestamp) as IntervalWindow[],
    merge: plain.merge && ((merging) => plain.merge!(merging) as WindowMerge<IntervalWindow>[]),
    outputTime: (timestamp) => timestamp + shiftMs,
  });
};

const plainWindowFn = (windows: TranscriptStrategy["windows"]): WindowFn => {
  switch (windows.kind) {
    case "global":
      return global();
    case "fixed":
      return fixed(windows.ms);
    case "sessions":
      return sessions(windows.ms);
  }
};

/** The panes that came in each step; what comes at the end of input is left out. */
async function panesOf({ steps, strategy }: Transcript): Promise<Pane[][]> {
  const streams = testStreams<{ values: number; marks: number }>("values", "marks");
  for (const step of steps) {
    if ("input" in step) for (const timestamp of step.input) streams.at("values", timestamp, timestamp);
    if ("watermark" in step) streams.watermark("values", step.watermark);
    streams.at("marks", 0, 0);
  }
  const came: Pane[][] = [[]];
  await runPipeline((p) => {
    const { values, marks } = p.apply(streams);
    marks.apply(map("next step", () => void came.push([])));
    return values
      .apply(
        windowInto(windowFnOf(strategy), {
          trigger: strategy.trigger,
          timestampCombiner: strategy.timestampCombiner,
          allowedLatenessMs: strategy.allowedLatenessMs,
          panes: strategy.panes,
          unsafeTrigger: true,
        }),
      )
      .apply(withKeys(() => "key"))
      .apply(groupByKey())
      .apply(
        map("panes", ({ value }, { window, timestamp, pane }) => void came.at(-1)!.push({ values: [...value], window, timestamp, pane })),
      );
  });
  return came.slice(0, -1);
}

async function execute(transcript: Transcript): Promise<void> {
  const panes = await panesOf(transcript);
  assert.equal(panes.length, transcript.steps.length);
  const check = new TranscriptCheck();
  transcript.steps.forEach((step, i) => {
    if ("expect" in step) return check.expect(step.expect);
    check.nothingElse();
    check.came(panes[i]);
  });
  check.nothingElse();
}

describe("Beam's trigger transcripts, through a pipeline", () => {
  for (const transcript of transcripts())
    it(transcript.error === undefined ? transcript.name : `${transcript.name}: ${transcript.error}`, async () => {
      if (transcript.error === undefined) await execute(transcript);
      else await assert.rejects(execute(transcript), new RegExp(transcript.error));
    });
});
