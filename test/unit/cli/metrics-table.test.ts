import assert from "node:assert/strict";
import { metricsTable } from "../../../cli/metrics-table.js";
import type { Metric } from "../../../portability/metrics/index.js";
import { UserMetrics } from "../../../sdk/index.js";

const table = (metrics: readonly Partial<Metric>[]): string =>
  metricsTable(new UserMetrics(metrics.map((each) => ({ transform: "count", namespace: "user", name: "m", ...each }) as Metric)));

describe("metricsTable", () => {
  it("is nothing where there are no metrics", () => assert.equal(table([]), ""));

  it("has a line for each metric, in columns", () => {
    assert.equal(
      table([
        { type: "counter", name: "broken lines", value: 12345 },
        { type: "distribution", namespace: "lib", name: "size", transform: "read/lines", value: { count: 4, sum: 10, min: 1, max: 5 } },
        { type: "string-set", name: "hosts", value: ["a", "b"] },
        { type: "gauge", name: "open", value: { value: 3, time: 0 } },
        { type: "bounded-trie", name: "paths", value: { children: { a: { truncated: true }, b: {} } } },
      ]),
      "  broken lines  count       12,345\n" +
        "  hosts         count       a, b\n" +
        "  open          count       3\n" +
        "  paths         count       a/…, b\n" +
        "  lib/size      read/lines  1 to 5, mean 2.5, of 4\n",
    );
  });

  it("stays bounded, on lines of its own, whatever metrics are called and hold", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ type: "counter" as const, name: `x${i}\n`.repeat(1000), value: 1 }));
    const lines = table(many).trimEnd().split("\n");
    assert.equal(lines.length, 31);
    assert.equal(lines.at(-1), "  … and 10 more metrics");
    for (const line of lines) assert.ok(line.length < 250);
  });
});
