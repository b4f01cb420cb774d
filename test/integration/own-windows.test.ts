// Window functions of authors' own, and timestamps moved, through pipelines.
import assert from "node:assert/strict";
import {
  combinePerKey,
  countGlobally,
  countPerElement,
  create,
  groupByKey,
  IntervalWindow,
  kv,
  map,
  reifyWindows,
  sliding,
  windowFn,
  windowInto,
  withTimestamps,
} from "../../sdk/index.js";
import { runPipeline } from "../../local/testing.js";

const at = (timestamps: readonly number[]) => create("timestamps", timestamps);

describe("window functions of an author's own", () => {
  it("see the element besides its timestamp", async () => {
    interface Order {
      readonly country: string;
      readonly at: number;
    }
    const byCountry = windowFn({
      name: "longer in France",
      assign: (timestamp, { country }: Order) => {
        const size = country === "FR" ? 20 : 10;
        const start = timestamp - (timestamp % size);
        return [new IntervalWindow(start, start + size)];
      },
    });
    const orders: Order[] = ["FR", "FR", "DE", "DE"].map((country, i) => ({ country, at: i * 7 }));
    const counts = await runPipeline((p) =>
      p
        .apply(create(orders))
        .apply(withTimestamps((order) => order.at))
        .apply(windowInto(byCountry))
        .apply(map(({ country }) => kv(country, 1)))
        .apply(combinePerKey((a, b) => a + b))
        .apply(map(({ key, value }, { window }) => `${key} ${value} ${String(window)}`)),
    );
    assert.deepEqual(counts.sort(), ["DE 1 [10, 20)", "DE 1 [20, 30)", "FR 2 [0, 20)"]);
  });

  it("that merge: windows become what it says, for each key by itself", async () => {
    // Windows that share a multiple of 100 become one, as soon as there are three.
    const crowds = windowFn({
      name: "crowds",
      assign: (timestamp) => [new IntervalWindow(timestamp, timestamp + 1)],
      merge(windows) {
        const hundreds = [...new Set(windows.map(({ start }) => Math.floor(start / 100)))];
        return hundreds
          .map((hundred) => windows.filter(({ start }) => Math.floor(start / 100) === hundred))
          .filter((crowd) => crowd.length >= 3)
          .map((crowd) => ({
            windows: crowd,
            into: new IntervalWindow(Math.min(...crowd.map((w) => w.start)), Math.max(...crowd.map((w) => w.end))),
          }));
      },
    });
    const groups = await runPipeline((p) =>
      p
        .apply(at([1, 2, 3, 101, 102, 205]))
        .apply(withTimestamps((n) => n))
        .apply(windowInto(crowds))
        .apply(map((n) => kv(n === 205 ? "b" : "a", n)))
        .apply(groupByKey())
        .apply(map(({ key, value }, { window }) => `${key} ${[...value].sort((a, b) => a - b).join(",")} ${String(window)}`)),
    );
    assert.deepEqual(groups.sort(), ["a 1,2,3 [1, 4)", "a 101 [101, 102)", "a 102 [102, 103)", "b 205 [205, 206)"]);
  });

  it("say what a timestamp combiner is given", async () => {
    const shifted = windowFn({
      name: "shifted",
      assign: () => [new IntervalWindow(0, 100)],
      outputTime: (timestamp) => timestamp + 50,
    });
    const found = await runPipeline((p) =>
      p
        .apply(at([5, 3]))
        .apply(withTimestamps((n) => n))
        .apply(windowInto(shifted, { timestampCombiner: "earliest" }))
        .apply(map((n) => kv("key", n)))
        .apply(groupByKey())
        .apply(map((_group, { timestamp }) => timestamp)),
    );
    assert.deepEqual(found, [53]);
  });

  it("that fail to merge: the error says which of them", async () => {
    const failing = windowFn({
      name: "no crowds",
      assign: (timestamp) => [new IntervalWindow(timestamp, timestamp + 1)],
      merge() {
        throw new Error("not today");
      },
    });
    await assert.rejects(
      runPipeline((p) =>
        p
          .apply(at([1]))
          .apply(windowInto(failing))
          .apply(countPerElement()),
      ),
      /merge failed in transform "windowFn no crowds": not today/,
    );
  });

  it("that fail: the error says which transform", async () => {
    const failing = windowFn({
      name: "failing",
      assign(): IntervalWindow[] {
        throw new Error("no window today");
      },
    });
    await assert.rejects(
      runPipeline((p) =>
        p
          .apply(at([1]))
          .apply(windowInto("into windows", failing))
          .apply(countGlobally()),
      ),
      /into windows.*no window today/s,
    );
  });
});

describe("windows with gaps between them", () => {
  it("drop the elements in the gaps", async () => {
    const counts = await runPipeline((p) =>
      p
        .apply(at([0, 4, 5, 9, 10, 14]))
        .apply(withTimestamps((n) => n))
        .apply(windowInto(sliding({ size: 5, every: 10 })))
        .apply(countGlobally())
        .apply(map((n, { window }) => `${n} ${String(window)}`)),
    );
    assert.deepEqual(counts.sort(), ["2 [0, 5)", "2 [10, 15)"]);
  });
});

describe("timestamps", () => {
  const moved = (by: number, allowedSkewMs?: number) =>
    runPipeline((p) =>
      p
        .apply(at([100]))
        .apply(withTimestamps("first", (n) => n))
        .apply(withTimestamps("moved", (n) => n + by, allowedSkewMs === undefined ? {} : { allowedSkewMs }))
        .apply(reifyWindows()),
    ).then(([{ timestamp }]) => timestamp);

  it("are moved forwards freely", async () => assert.equal(await moved(1_000_000), 1_000_100));
  it("are moved backwards by what is allowed", async () => assert.equal(await moved(-10, 10), 90));
  it("are not moved backwards further", async () => {
    await assert.rejects(moved(-11, 10), /moved.*go back from 1970-01-01T00:00:00\.1Z? ?.*where 10 ms are allowed/s);
    await assert.rejects(moved(-1), /where 0 ms are allowed/);
  });
});
