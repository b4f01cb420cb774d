import assert from "node:assert/strict";
import fc from "fast-check";
import { GLOBAL_WINDOW_MAX_TIMESTAMP, type IntervalWindow } from "../../../portability/values/index.js";
import { FixedWindows, SlidingWindows } from "../../../portability/windows/index.js";

const grids = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 20 }), fc.nat(), fc.nat())
  .map(([period, times, more, offset]) => new SlidingWindows(period * times + (more % period), period, offset % period));
const timestamps = fc.integer({ min: -1_000_000, max: 1_000_000 });

const intervals = (windowFn: SlidingWindows, timestamp: number): IntervalWindow[] => windowFn.assign(timestamp) as IntervalWindow[];

describe("sliding windows", () => {
  it("are all windows of the grid that hold the timestamp, the latest first", () => {
    fc.assert(
      fc.property(grids, timestamps, (windowFn, timestamp) => {
        const windows = intervals(windowFn, timestamp);
        const { sizeMs, periodMs, offsetMs } = windowFn;
        for (const { start, end } of windows) {
          assert.ok(start <= timestamp && timestamp < end);
          assert.equal(end - start, sizeMs);
          assert.equal(Math.abs((start - offsetMs) % periodMs), 0);
        }
        const last = windows[0].start;
        assert.ok(last + periodMs > timestamp, "a later one would hold it, too");
        assert.ok(windows.at(-1)!.start - periodMs + sizeMs <= timestamp, "an earlier one would hold it, too");
        windows.forEach(({ start }, i) => assert.equal(start, last - i * periodMs));
      }),
    );
  });

  it("do not depend on which timestamps came before", () => {
    fc.assert(
      fc.property(
        grids,
        fc.array(timestamps, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: -3, max: 3 }),
        (windowFn, before, step) => {
          for (const timestamp of before) windowFn.assign(timestamp);
          const next = before.at(-1)! + step;
          const { sizeMs, periodMs, offsetMs } = windowFn;
          assert.deepEqual(windowFn.assign(next), new SlidingWindows(sizeMs, periodMs, offsetMs).assign(next));
        },
      ),
    );
  });

  it("are the same objects for neighbours, also where they come a little out of order", () => {
    for (const windowFn of [new SlidingWindows(10, 5), new FixedWindows(10)]) {
      const [first, ...others] = [11, 27, 32, 12].map((timestamp) => windowFn.assign(timestamp));
      assert.equal(others.pop(), first);
    }
  });

  it("are fixed windows where size and period are the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), timestamps, (size, timestamp) => {
        assert.deepEqual(new SlidingWindows(size, size).assign(timestamp), new FixedWindows(size).assign(timestamp));
      }),
    );
  });

  it("leave gaps where the period exceeds the size: a timestamp is in the one window that holds it, or in none", () => {
    const gapped = fc
      .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 }), fc.nat())
      .map(([size, gap, offset]) => new SlidingWindows(size, size + gap, offset % (size + gap)));
    fc.assert(
      fc.property(gapped, fc.array(timestamps, { minLength: 1, maxLength: 20 }), (windowFn, all) => {
        const { sizeMs, periodMs, offsetMs } = windowFn;
        for (const timestamp of all) {
          const into = (((timestamp - offsetMs) % periodMs) + periodMs) % periodMs;
          const expected = into < sizeMs ? [[timestamp - into, timestamp - into + sizeMs]] : [];
          assert.deepEqual(
            intervals(windowFn, timestamp).map(({ start, end }) => [start, end]),
            expected,
          );
        }
      }),
    );
  });
});

describe("fixed windows at the end of time", () => {
  it("end with the global window", () => {
    const [last] = new FixedWindows(3_600_000).assign(GLOBAL_WINDOW_MAX_TIMESTAMP) as IntervalWindow[];
    assert.equal(last.maxTimestamp, GLOBAL_WINDOW_MAX_TIMESTAMP);
  });
});
