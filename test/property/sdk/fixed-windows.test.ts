import assert from "node:assert/strict";
import fc from "fast-check";
import { IntervalWindow } from "../../../portability/values/index.js";
import { FixedWindows } from "../../../portability/windows/index.js";

const grids = fc
  .integer({ min: 1, max: 10_000_000 })
  .chain((size) => fc.integer({ min: 0, max: size - 1 }).map((offset) => new FixedWindows(size, offset)));
const timestamps = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });

function windowOf(windowFn: FixedWindows, timestamp: number): IntervalWindow {
  const [window, ...others] = windowFn.assign(timestamp);
  assert.equal(others.length, 0);
  assert.ok(window instanceof IntervalWindow);
  return window;
}

describe("fixed windows", () => {
  it("hold the timestamps they are given for, and lie on their grid", () => {
    fc.assert(
      fc.property(grids, timestamps, (windowFn, timestamp) => {
        const { start, end } = windowOf(windowFn, timestamp);
        assert.ok(start <= timestamp && timestamp < end);
        assert.equal(end - start, windowFn.sizeMs);
        assert.equal(Math.abs((start - windowFn.offsetMs) % windowFn.sizeMs), 0);
      }),
    );
  });

  it("tile all of time: each ends where the next begins", () => {
    fc.assert(
      fc.property(grids, timestamps, (windowFn, timestamp) => {
        const window = windowOf(windowFn, timestamp);
        assert.equal(windowOf(windowFn, window.end).start, window.end);
        assert.equal(windowOf(windowFn, window.start - 1).end, window.start);
        assert.deepEqual(windowOf(windowFn, window.maxTimestamp), window);
      }),
    );
  });

  it("do not depend on what was asked before", () => {
    fc.assert(
      fc.property(grids, fc.array(timestamps), (windowFn, asked) => {
        for (const timestamp of asked)
          assert.deepEqual(windowOf(windowFn, timestamp), windowOf(new FixedWindows(windowFn.sizeMs, windowFn.offsetMs), timestamp));
      }),
    );
  });

  it("are on the right side of zero", () => {
    const windowFn = new FixedWindows(10, 3);
    const found = [-8, -7, -1, 0, 2, 3, 12, 13].map((timestamp) => windowOf(windowFn, timestamp).start);
    assert.deepEqual(found, [-17, -7, -7, -7, -7, 3, 3, 13]);
  });

  it("refuse sizes and offsets that give no grid", () => {
    for (const size of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => new FixedWindows(size), /window size must be a whole number/);
    for (const offset of [-1, 10, 0.5, NaN]) assert.throws(() => new FixedWindows(10, offset), /window offset must be .* in \[0, 10\)/);
  });
});
