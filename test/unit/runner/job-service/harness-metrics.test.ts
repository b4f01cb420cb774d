import assert from "node:assert/strict";
import { metricToMonitoringInfo, readMonitoringInfo } from "../../../../portability/metrics/index.js";
import type { beam } from "../../../../portability/protos/index.js";
import { HarnessMetrics } from "../../../../runner/job-service/harness-metrics.js";

const calls = (value: number, name = "calls"): beam.pipeline.IMonitoringInfo =>
  metricToMonitoringInfo({ transform: "", namespace: "", name, type: "counter", value });
const valuesOf = (metrics: HarnessMetrics): unknown[] => metrics.all.map((info) => readMonitoringInfo(info)?.value);

describe("HarnessMetrics", () => {
  it("adds up what each harness has said last", () => {
    const metrics = new HarnessMetrics();
    metrics.told("a", [calls(1)]);
    metrics.told("b", [calls(10)]);
    metrics.told("a", [calls(2)]);
    assert.deepEqual(valuesOf(metrics), [12]);
  });

  it("forgets nothing of many harnesses, and keeps so many metrics of each", () => {
    const metrics = new HarnessMetrics();
    for (let i = 0; i < 100; i++) metrics.told(`worker ${i}`, [calls(1)]);
    assert.deepEqual(valuesOf(metrics), [100]);
    metrics.told(
      "talkative",
      Array.from({ length: 2000 }, (_, i) => calls(1, `n${i}`)),
    );
    assert.equal(metrics.all.length, 1001);
  });
});
