// To which transform a metric belongs, whenever and from wherever its function uses it.
import assert from "node:assert/strict";
import {
  boundedTrie,
  combinePerKey,
  counter,
  create,
  distribution,
  filter,
  flatMap,
  gauge,
  kv,
  map,
  output,
  parDo,
  pipeline,
  run,
  stringSet,
  type Pipeline,
  type UserMetrics,
} from "../../../../sdk/index.js";
import { local } from "../../../../local/index.js";

const seen = counter("seen");

async function metricsOf(build: (p: Pipeline) => unknown): Promise<UserMetrics> {
  return (await run(pipeline(build), {}, local())).user;
}

const values = (metrics: UserMetrics): Record<string, unknown> =>
  Object.fromEntries(metrics.query().map(({ step, name, attempted }) => [`${step} ${name}`, attempted]));

describe("metrics", () => {
  it("belong to the transform that is running, one behind the other", async () => {
    const metrics = await metricsOf((p) =>
      p
        .apply(create("three", [1, 2, 3]))
        .apply(map("first", (n) => (seen.inc(), n)))
        .apply(flatMap("second", (n) => (seen.inc(10), [n, n])))
        .apply(filter("third", () => (seen.dec(), false))),
    );
    assert.deepEqual(values(metrics), { "first seen": 3, "second seen": 30, "third seen": -6 });
  });

  it("belong to the emitting transform again when emit returns", async () => {
    const metrics = await metricsOf((p) =>
      p
        .apply(create("one", [1]))
        .apply(
          parDo("emitting", {
            outputs: output<number>(),
            process(n: number, { emit }) {
              emit(n);
              seen.inc(5);
            },
          }),
        )
        .apply(map("behind", (n) => (seen.inc(), n))),
    );
    assert.deepEqual(values(metrics), { "emitting seen": 5, "behind seen": 1 });
  });

  it("belong to an asynchronous function after it has waited, whoever runs meanwhile", async () => {
    const metrics = await metricsOf((p) => {
      const wait = (n: number) => new Promise<number>((resolve) => setImmediate(() => resolve(n)));
      const late = async (n: number): Promise<number> => {
        await wait(n);
        seen.inc();
        return n;
      };
      p.apply(create("five", [1, 2, 3, 4, 5]))
        .apply(map("async", late))
        .apply(map("plain function, async inside", (n) => late(n)))
        .apply(
          flatMap("async generator", async function* (n) {
            yield await wait(n);
            seen.inc();
          }),
        );
    });
    assert.deepEqual(values(metrics), { "async seen": 5, "plain function, async inside seen": 5, "async generator seen": 5 });
  });

  it("belong to the generator's transform while its body runs", async () => {
    const metrics = await metricsOf((p) =>
      p
        .apply(create("two", [1, 2]))
        .apply(
          flatMap("generator", function* (n) {
            seen.inc();
            yield n;
            seen.inc();
          }),
        )
        .apply(map("behind", (n) => (seen.inc(100), n))),
    );
    assert.deepEqual(values(metrics), { "generator seen": 4, "behind seen": 200 });
  });

  it("belong to a combine whatever part of it is running, and to all functions of a ParDo", async () => {
    const metrics = await metricsOf((p) => {
      p.apply(create("pairs", [kv("a", 1), kv("a", 2), kv("b", 3)])).apply(
        combinePerKey("sum", {
          createAccumulator: () => 0,
          addInput: (sum, n: number) => (seen.inc(), sum + n),
          mergeAccumulators: (a, b) => a + b,
          extractOutput: (sum) => (seen.inc(10), sum),
        }),
      );
      p.apply(create("one", [1])).apply(
        parDo("life", {
          outputs: output<number>(),
          setup: () => seen.inc(),
          startBundle: () => seen.inc(10),
          process: () => seen.inc(100),
          finishBundle: () => seen.inc(1000),
        }),
      );
    });
    assert.deepEqual(values(metrics), { "sum seen": 23, "life seen": 1111 });
  });

  it("have a value of each type, found by name, namespace, step and type", async () => {
    const sizes = distribution("sizes");
    const last = gauge({ namespace: "lib", name: "last" });
    const names = stringSet("names");
    const paths = boundedTrie("paths");
    const metrics = await metricsOf((p) =>
      p.apply(create("two", ["b", "aa"])).apply((words) =>
        words.apply(
          map("look", (word) => {
            sizes.update(word.length);
            last.set(word.length);
            names.add(word);
            paths.add("root", word);
          }),
        ),
      ),
    );
    const step = "composite/look";
    const [size] = metrics.query({ type: "distribution" });
    assert.deepEqual(size, {
      type: "distribution",
      step,
      namespace: "user",
      name: "sizes",
      attempted: { count: 2, sum: 3, min: 1, max: 2 },
      committed: { count: 2, sum: 3, min: 1, max: 2 },
    });
    assert.equal(metrics.query({ namespace: "lib" })[0].name, "last");
    assert.equal(metrics.query({ name: "last", type: "gauge" })[0].attempted.value, 2);
    assert.deepEqual(metrics.query({ name: "names", type: "string-set" })[0].attempted, ["aa", "b"]);
    assert.deepEqual(metrics.query({ type: "bounded-trie" })[0].attempted, { children: { root: { children: { b: {}, aa: {} } } } });
    assert.equal(metrics.query({ step: "composite" }).length, 4);
    assert.equal(metrics.query({ step: "comp" }).length, 0);
    assert.equal(metrics.query({ type: "counter" }).length, 0);
  });

  it("say so when they are used outside of a transform", () => {
    assert.throws(() => seen.inc(), /metric "seen" was used outside of a transform's function/);
  });
});
