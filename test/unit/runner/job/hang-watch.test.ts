import assert from "node:assert/strict";
import { HangWatch } from "../../../../runner/job/hang-watch.js";
import type { WorkerReport } from "../../../../runner/job/messages.js";

const report = (more: Partial<WorkerReport> = {}): WorkerReport => ({
  tasks: [],
  idle: true,
  turns: 7,
  framesSent: 0,
  framesReceived: 0,
  epochWaitsFor: [],
  waits: [{ task: "bolt-1 #0", waitsFor: "input" }],
  ...more,
});

/** Reports of the only worker until the watch speaks; how many it took, or undefined after twenty. */
function roundsUntilHung(watch: HangWatch, next: (round: number) => WorkerReport): number | undefined {
  for (let round = 1; round <= 20; round++) if (watch.observe(0, next(round), false)) return round;
  return undefined;
}

describe("HangWatch", () => {
  it("speaks after some reports without movement, and tells what each task waits for", () => {
    const watch = new HangWatch(1);
    assert.equal(
      roundsUntilHung(watch, () => report()),
      4,
    );
    assert.equal(watch.describe(), "  bolt-1 #0 waits for input");
  });

  it("keeps quiet while turns are given", () => {
    assert.equal(
      roundsUntilHung(new HangWatch(1), (turns) => report({ turns })),
      undefined,
    );
  });

  it("keeps quiet while user code is at work", () => {
    assert.equal(
      roundsUntilHung(new HangWatch(1), () => report({ idle: false })),
      undefined,
    );
  });

  it("keeps quiet while a frame is on its way between workers", () => {
    const watch = new HangWatch(2);
    watch.observe(1, report({ framesReceived: 9 }), true);
    assert.equal(
      roundsUntilHung(watch, () => report({ framesSent: 10 })),
      undefined,
    );
  });

  it("keeps quiet while another worker moves", () => {
    const watch = new HangWatch(2);
    for (let round = 0; round < 20; round++) {
      assert.equal(watch.observe(0, report(), false), false);
      assert.equal(watch.observe(1, report({ turns: round }), false), false);
    }
  });

  it("keeps quiet when all workers are done", () => {
    const watch = new HangWatch(1);
    for (let round = 0; round < 20; round++) assert.equal(watch.observe(0, report(), true), false);
  });
});
