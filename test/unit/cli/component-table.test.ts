import assert from "node:assert/strict";
import { componentTable } from "../../../cli/component-table.js";
import { UserMetrics } from "../../../sdk/index.js";
import { componentMetrics } from "../../support/component-metrics.js";

describe("componentTable", () => {
  it("has a line for each component and its transforms, in columns", () => {
    const table = componentTable({
      elapsedMs: 1000,
      components: [
        componentMetrics({ id: "spout-1", elementsOut: 1234, bytesOut: 5678, bundles: 1, busyMs: 1234 }),
        componentMetrics({ id: "bolt-2", elementsIn: 1234, bytesIn: 5678, bundles: 3, retries: 2, droppedLate: 4, droppedClosed: 1 }),
      ],
      transforms: [
        { step: "read", component: "spout-1", elementsIn: 1, elementsOut: 1234 },
        { step: "count/key", component: "bolt-2", elementsIn: 1234, elementsOut: 7 },
      ],
      elements: new Map(),
      user: new UserMetrics([]),
    });
    assert.deepEqual(table.split("\n"), [
      "                  in    out  bytes in  bytes out            bundles    busy  dropped",
      "  spout-1          0  1,234        ~0     ~5,678                  1  1.23 s        0",
      "    read           1  1,234",
      "  bolt-2       1,234      0    ~5,678         ~0  3 (2 tried again)  0.00 s        5",
      "    count/key  1,234      7",
      "",
    ]);
  });
});
