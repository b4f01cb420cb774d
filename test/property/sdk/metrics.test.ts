// Metrics come from many tasks, in any order and any number of reports: merging must not depend on either.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BoundedTrie,
  mergeMetrics,
  mergeMonitoringInfos,
  metricFromMonitoringInfo,
  metricToMonitoringInfo,
  pathsOf,
  TRIE_BOUND,
  type Metric,
  type MetricType,
  type MetricValues,
} from "../../../portability/metrics/index.js";

const whole = fc.integer({ min: -1e6, max: 1e6 });
const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 });
const trieOf = (paths: readonly string[][], bound?: number): BoundedTrie => {
  const trie = new BoundedTrie(bound);
  for (const each of paths) trie.add(each);
  return trie;
};
const valueOf: { readonly [T in MetricType]: fc.Arbitrary<MetricValues[T]> } = {
  counter: whole,
  distribution: fc.array(whole).map((values) => ({
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
  })),
  gauge: fc.record({ value: whole, time: fc.integer({ min: 0, max: 3 }) }, { noNullPrototype: true }),
  "string-set": fc.array(fc.string()).map((texts) => [...new Set(texts)].sort()),
  "bounded-trie": fc.array(path).map((paths) => trieOf(paths).toNode()),
};
const metric = fc.constantFrom(...(Object.keys(valueOf) as MetricType[])).chain((type) =>
  fc.record({
    type: fc.constant(type),
    transform: fc.constantFrom("count", "count/key"),
    namespace: fc.constantFrom("user", "lib"),
    name: fc.constantFrom("x", "y"),
    value: valueOf[type] as fc.Arbitrary<unknown>,
  }),
) as fc.Arbitrary<Metric>;

const sorted = (metrics: readonly Metric[]): string[] =>
  metrics.map((each) => JSON.stringify({ ...each, value: each.type === "bounded-trie" ? pathsOf(each.value) : each.value })).sort();

describe("mergeMetrics", () => {
  it("does not depend on the order of reports, nor on what was merged before", () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 12 }), fc.nat(12), (metrics, cut) => {
        const whole2 = sorted(mergeMetrics(metrics));
        assert.deepEqual(sorted(mergeMetrics([...metrics].reverse())), whole2);
        assert.deepEqual(sorted(mergeMetrics([...mergeMetrics(metrics.slice(0, cut)), ...mergeMetrics(metrics.slice(cut))])), whole2);
      }),
    );
  });
});

describe("monitoring infos", () => {
  it("merge to what the metrics that they tell merge to", () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 12 }), (metrics) => {
        const merged = mergeMonitoringInfos(metrics.map(metricToMonitoringInfo)).map((info) => metricFromMonitoringInfo(info)!);
        assert.deepEqual(
          sorted(merged),
          sorted(mergeMetrics(metrics.map((each) => metricFromMonitoringInfo(metricToMonitoringInfo(each))!))),
        );
      }),
    );
  });

  it("keep the last of what cannot be merged", () => {
    const [counter, other] = [
      metricToMonitoringInfo({ transform: "", namespace: "", name: "x", type: "counter", value: 1 }),
      { urn: "test:own", type: "test:type" },
    ];
    const broken = { ...counter, payload: Uint8Array.of(0xff) };
    const infos = mergeMonitoringInfos([counter, broken, { ...other, payload: Uint8Array.of(1) }, { ...other, payload: Uint8Array.of(2) }]);
    assert.deepEqual(infos, [broken, { ...other, payload: Uint8Array.of(2) }]);
  });

  it("give back the metric they were made of", () => {
    fc.assert(fc.property(metric, (each) => assert.deepEqual(metricFromMonitoringInfo(metricToMonitoringInfo(each)), { ...each })));
  });

  it("are none for a URN that no type has", () => {
    assert.equal(metricFromMonitoringInfo({ urn: "beam:metric:element_count:v1", payload: Uint8Array.of(1) }), undefined);
  });
});

describe("BoundedTrie", () => {
  const long = fc.array(fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1, maxLength: 5 }), { maxLength: 80 });

  it("keeps every path, or what it begins with, within its bound", () => {
    fc.assert(
      fc.property(long, fc.integer({ min: 1, max: 20 }), (paths, bound) => {
        const kept = pathsOf(trieOf(paths, bound).toNode());
        assert.ok(kept.length <= bound);
        for (const each of paths) {
          const isKept = kept.some((found) => {
            const cut = found.at(-1) === "…";
            const known = cut ? found.slice(0, -1) : found;
            // A path that others go on from is the beginning of them.
            return cut
              ? known.every((segment, i) => segment === each[i]) || each.every((segment, i) => segment === known[i])
              : each.every((segment, i) => segment === known[i]);
          });
          assert.ok(isKept, `${each.join("/")} is not among ${kept.map((found) => found.join("/")).join(" ")}`);
        }
      }),
    );
  });

  it("keeps all paths while they are few", () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: TRIE_BOUND }), (paths) => {
        const kept = new Set(pathsOf(trieOf(paths).toNode()).map((found) => found.join("/")));
        for (const each of paths) assert.ok([...kept].some((found) => `${found}/`.startsWith(`${each.join("/")}/`)));
      }),
    );
  });
});
