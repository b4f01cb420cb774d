import assert from "node:assert/strict";
import { planPipeline } from "../../../../runner/topology/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

function pipeline(): PipelineBuilder {
  const p = new PipelineBuilder();
  const keyed = p.parDo("read/parse", p.impulse("read/impulse"), "key by mod 3");
  const grouped = p.groupByKey("by word/group", keyed);
  const counted = p.parDo("count", grouped, "fold");
  p.parDo("far", counted, "fold", { environment: "other" });
  p.parDo("dealt", p.reshuffle("deal", counted), "fold");
  return p;
}

describe("buildTopology", () => {
  it("names components readably, spouts with one task and bolts with those asked for", () => {
    const { components } = planPipeline(pipeline().build(), { parallelism: 3 });
    assert.deepEqual(
      components.map(({ id, kind, parallelism }) => [id, kind, parallelism]),
      [
        ["spout-1 read", "spout", 1],
        ["bolt-2 by word", "bolt", 3],
        ["bolt-3 far", "bolt", 3],
        ["bolt-4 deal", "bolt", 3],
      ],
    );
  });

  it("gives a spout that reads as many tasks as its source says that it can be shared by", () => {
    const p = new PipelineBuilder();
    for (const parallelism of ["", "2", "1000", "0", "-3", "two"])
      p.parDo(`use ${parallelism}`, p.read(`read ${parallelism}`, { parallelism }));
    const { components, streams } = planPipeline(p.build(), { parallelism: 3 });
    assert.deepEqual(
      components.map(({ kind, parallelism }) => [kind, parallelism]),
      [1, 2, 3, 1, 1, 1].map((tasks) => ["spout", tasks]),
    );
    assert.deepEqual(streams, []);
    assert.deepEqual(components[1].head, { kind: "read", output: "read 2.0", transformId: "read 2", transformName: "read 2" });
    assert.deepEqual(components[1].stage.transformIds, ["use 2"]);
  });

  it("keeps a source in its own environment", () => {
    const p = new PipelineBuilder();
    p.parDo("use", p.read("numbers", { environment: "other" }));
    const { components } = planPipeline(p.build(), { parallelism: 1 });
    assert.deepEqual(
      components.map(({ id, stage }) => [id, stage.environmentId, stage.transformIds]),
      [
        ["spout-1 numbers", "other", []],
        ["bolt-2 use", "embedded", ["use"]],
      ],
    );
  });

  it("deals by key into a grouping, straight on between equals, anew behind a reshuffle", () => {
    const { streams } = planPipeline(pipeline().build(), { parallelism: 3 });
    assert.deepEqual(
      streams.map(({ id, from, pcollection, to, grouping }) => [id, from, pcollection, to, grouping]),
      [
        [1, "spout-1 read", "read/parse.0", "bolt-2 by word", "fields"],
        [2, "bolt-2 by word", "count.0", "bolt-3 far", "direct"],
        [3, "bolt-2 by word", "count.0", "bolt-4 deal", "shuffle"],
      ],
    );
  });

  it("shuffles between components of different parallelism", () => {
    const p = new PipelineBuilder();
    p.parDo("b", p.parDo("a", p.impulse()), "increment", { environment: "other" });
    const grouping = (parallelism: number): string => planPipeline(p.build(), { parallelism }).streams[0].grouping;
    assert.equal(grouping(1), "direct");
    assert.equal(grouping(2), "shuffle");
  });

  it("tells a grouping's head what it groups and how", () => {
    const { components } = planPipeline(pipeline().build(), { parallelism: 1 });
    assert.deepEqual(components[1].head, {
      kind: "group-by-key",
      output: "by word/group.0",
      input: "read/parse.0",
      coderId: "kv",
      windowingStrategyId: "global",
      transformName: "by word/group",
      late: undefined,
    });
  });

  it("describes the stage of a component", () => {
    const { id, environmentId, inputs, outputs, transformIds } = planPipeline(pipeline().build(), { parallelism: 1 }).components[1].stage;
    assert.deepEqual(
      { id, environmentId, inputs, outputs, transformIds },
      { id: "stage-2", environmentId: "embedded", inputs: ["by word/group.0"], outputs: ["count.0"], transformIds: ["count"] },
    );
  });

  it("has 128 key groups unless told otherwise, and no more keyed tasks than key groups", () => {
    assert.equal(planPipeline(pipeline().build(), { parallelism: 1 }).keyGroups, 128);
    const { components, keyGroups } = planPipeline(pipeline().build(), { parallelism: 8, keyGroups: 5 });
    assert.equal(keyGroups, 5);
    assert.deepEqual(
      components.map(({ parallelism }) => parallelism),
      [1, 5, 8, 8],
    );
  });

  it("refuses options that are no whole numbers above zero", () => {
    for (const parallelism of [0, -1, 1.5, NaN, Infinity])
      assert.throws(() => planPipeline(pipeline().build(), { parallelism }), RangeError);
  });

  it("keeps names on one line and bounded", () => {
    const p = new PipelineBuilder();
    p.parDo("a", p.impulse());
    p.transforms["impulse"].uniqueName = `line\nbreak ${"🙂".repeat(100)}`;
    const [{ id }] = planPipeline(p.build(), { parallelism: 1 }).components;
    assert.match(id, /^spout-1 line break 🙂+…$/u);
    assert.ok(Array.from(id).length < 80);
  });

  it("makes nothing of an empty pipeline", () => {
    assert.deepEqual(planPipeline({}, { parallelism: 2 }), { components: [], streams: [], keyGroups: 128 });
  });
});
