import assert from "node:assert/strict";
import { BehaviorSubject, Subject } from "rxjs";
import { reportProgress, summary } from "../../../cli/progress.js";
import { UserMetrics, type Run, type RunMessage, type RunMetrics, type RunState } from "../../../sdk/index.js";
import { componentMetrics } from "../../support/component-metrics.js";

const metrics = (elements: number, watermark: number): RunMetrics => ({
  elapsedMs: 2000,
  components: [componentMetrics({ id: "a", watermark })],
  transforms: [],
  elements: new Map([["a", elements]]),
  user: new UserMetrics([]),
});

function observed(isTTY: boolean) {
  const metrics$ = new Subject<RunMetrics>();
  const messages$ = new Subject<RunMessage>();
  const state$ = new BehaviorSubject<RunState>("RUNNING");
  const written: string[] = [];
  const output = { isTTY, columns: 40, write: (text: string) => void written.push(text) };
  const run = { metrics$, messages$, state$ } as unknown as Run;
  return { metrics$, messages$, written, progress: reportProgress(run, output) };
}

const LINE_START = "\r\u001b[K";

describe("progress", () => {
  it("is one changing line on a terminal, cut to its width, with warnings above it", async () => {
    const { metrics$, messages$, written, progress } = observed(true);
    const { stop } = await progress;
    metrics$.next(metrics(1_234_567, Date.UTC(2026, 0, 1)));
    messages$.next({ level: "warn", text: "slow", time: 0 });
    stop();
    assert.equal(written.length, 3);
    assert.ok(written[0].startsWith(`${LINE_START}1,234,567 elements, 617,284/s, 2.0 s`));
    assert.equal(written[0].length, LINE_START.length + 39);
    assert.deepEqual(written.slice(1), [`${LINE_START}warn: slow\n`, LINE_START]);
  });

  it("is JSON lines elsewhere", async () => {
    const { messages$, written, progress } = observed(false);
    const { stop } = await progress;
    messages$.next({ level: "warn", text: "slow", time: 0 });
    stop();
    const lines = written.map((line) => JSON.parse(line) as { level: number; msg: string; state?: string });
    assert.deepEqual(
      lines.map(({ level, msg, state }) => [level, msg, state]),
      [
        [30, "state", "RUNNING"],
        [40, "slow", undefined],
      ],
    );
  });

  it("ends with a summary", () => {
    assert.equal(summary("done", metrics(10, Infinity)), "done: 10 elements, 5/s, 2.0 s");
  });
});
