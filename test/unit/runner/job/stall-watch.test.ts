import assert from "node:assert/strict";
import { StallWatch } from "../../../../runner/job/stall-watch.js";
import type { WorkerReport } from "../../../../runner/job/messages.js";
import type { TaskCounts } from "../../../../runner/runtime/index.js";

const report = (turns: number, waitsFor = "a promise", task = "map #0", tasks: WorkerReport["tasks"] = []): WorkerReport => ({
  tasks,
  idle: false,
  turns,
  framesSent: 0,
  framesReceived: 0,
  epochWaitsFor: [],
  waits: [{ task, waitsFor }],
});

describe("StallWatch", () => {
  it("warns once nothing has moved for long enough, then after twice the time", () => {
    const watch = new StallWatch(1000);
    const warnedAt: number[] = [];
    for (let now = 0; now <= 8000; now += 500) if (watch.observe(0, report(7), now) !== undefined) warnedAt.push(now);
    assert.deepEqual(warnedAt, [1000, 2000, 4000, 8000]);
  });

  it("says what is waited for, and leaves out who waits for input only", () => {
    const watch = new StallWatch(1000);
    watch.observe(0, report(1), 0);
    watch.observe(1, report(1, "input", "sink #0"), 0);
    assert.equal(watch.observe(0, report(1), 1500), "no progress for 1.5 s: map #0 waits for a promise");
  });

  it("takes a bundle in which more elements have been counted for one that moves", () => {
    const watch = new StallWatch(1000);
    const counted = (n: number): WorkerReport => report(1, "a harness", "map #0", [{ pcollections: { a: n } } as unknown as TaskCounts]);
    for (const [n, now] of [
      [1, 0],
      [2, 900],
      [2, 1800],
    ])
      assert.equal(watch.observe(0, counted(n), now), undefined);
    assert.match(watch.observe(0, counted(2), 1900) ?? "", /no progress for 1 s/);
  });

  it("starts anew when any worker moves", () => {
    const watch = new StallWatch(1000);
    watch.observe(0, report(1), 0);
    watch.observe(1, report(1), 0);
    watch.observe(1, report(2), 900);
    assert.equal(watch.observe(0, report(1), 1500), undefined);
    assert.match(watch.observe(0, report(1), 1900) ?? "", /no progress for 1 s/);
  });

  it("is silent when every task waits for input", () => {
    const watch = new StallWatch(1000);
    watch.observe(0, report(1, "input"), 0);
    assert.equal(watch.observe(0, report(1, "input"), 5000), undefined);
  });
});
