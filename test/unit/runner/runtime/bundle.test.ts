// When the bundles of a source end, by a clock that the test turns. Catches output and watermarks of a source that wait for as long as bundles of
// other tasks do, and bundles that last no longer although each takes its time to begin or to end.
import assert from "node:assert/strict";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import { Bundle } from "../../../../runner/runtime/bundle.js";
import type { HeadOperator } from "../../../../runner/runtime/head.js";
import { DEFAULT_RUNTIME_OPTIONS, Outbox } from "../../../../runner/runtime/index.js";
import { Pacer } from "../../../../runner/runtime/pacer.js";
import type { StageRunner } from "../../../../runner/runtime/stage-runner.js";

const options = { ...DEFAULT_RUNTIME_OPTIONS, sourceBundleMs: 2, bundleMs: 1000 };

describe("Bundle", () => {
  const original = performance.now;
  let now = 0;

  beforeEach(() => {
    now = 0;
    performance.now = () => now;
  });
  afterEach(() => {
    performance.now = original;
  });

  /** Bundles of a head that emits an element a millisecond, and whose stage takes so many milliseconds to begin and to end each. */
  class Bench {
    private readonly pacer = new Pacer();
    private readonly bundle: Bundle;

    constructor(isSource: boolean, startMs = 0, finishMs = 0) {
      const stage = {
        startBundle: () => (startMs === 0 ? undefined : Promise.resolve().then(() => void (now += startMs))),
        finishBundle: () => void (now += finishMs),
        receive: () => {},
      } as unknown as StageRunner; // what a bundle asks of it
      this.bundle = new Bundle({ stage, outbox: new Outbox(1e6), participants: [], pacer: this.pacer, options, pick: undefined });
      this.bundle.opened({ isSource } as HeadOperator);
    }

    /** Milliseconds from when elements can be given to when the bundle should end. */
    async lasts(): Promise<number> {
      const { bundle } = this;
      this.pacer.startTurn(Infinity);
      await bundle.begin();
      const since = now;
      while (!bundle.isEnough) {
        now++;
        this.pacer.look();
        bundle.emit("element", IMPULSE_META);
        bundle.elements++;
      }
      const lasted = now - since;
      await bundle.finish();
      bundle.commit();
      return lasted;
    }
  }

  it("of a source ends soon, and takes its time otherwise", async () => {
    assert.equal(await new Bench(true).lasts(), 2);
    assert.equal(await new Bench(false).lasts(), 1000);
  });

  it("of a source lasts for eight times what ending the one before took, but not for longer than any other", async () => {
    const slow = new Bench(true, 0, 10);
    assert.equal(await slow.lasts(), 2);
    assert.equal(await slow.lasts(), 80);
    assert.equal(await slow.lasts(), 80);
    const slowest = new Bench(true, 0, 500);
    await slowest.lasts();
    assert.equal(await slowest.lasts(), 1000);
  });

  it("of a source counts what beginning one takes", async () => {
    const slow = new Bench(true, 10);
    await slow.lasts();
    // The time that passes until it has begun is part of the bundle.
    assert.equal(await slow.lasts(), 70);
  });

  it("does not end before it has an element, however late that comes", async () => {
    const bench = new Bench(true, 30);
    assert.equal(await bench.lasts(), 1);
  });
});
