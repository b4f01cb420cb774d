import assert from "node:assert/strict";
import { topologyPage } from "../../../cli/topology-page.js";
import { planPipeline } from "../../../runner/topology/index.js";
import { PipelineBuilder } from "../../support/pipeline-builder.js";

const textsOf = (page: string): string[] => [...page.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe("topologyPage", () => {
  it("draws every component with its steps, and every stream", async () => {
    const p = new PipelineBuilder();
    const words = p.parDo("split", p.impulse("read"), "key by mod 3");
    p.parDoWithSideInputs("format", p.combinePerKey("count", words), [p.parDo("side", p.impulse("other"))]);
    const topology = planPipeline(p.build(), { parallelism: 4 });
    const texts = textsOf(await topologyPage(topology, "x.ts"));
    for (const text of ["spout-1 read ×1", "pardo: split", "group-by-key: count", "pardo: format", "fields (stream 1)"])
      assert.ok(texts.includes(text), text);
    assert.ok(texts.some((text) => text.startsWith("all (side input")));
  });

  it("is one page that loads nothing", async () => {
    const p = new PipelineBuilder();
    p.parDo("a", p.impulse());
    const page = await topologyPage(planPipeline(p.build(), { parallelism: 1 }), "x.ts");
    assert.match(page, /^<!doctype html>/);
    assert.doesNotMatch(page.replace('xmlns="http://www.w3.org/2000/svg"', ""), /https?:|<script|<link|@import|\bsrc=/);
  });

  for (const name of ['<script>alert("x")</script>', '"/><img src=x>', "a&b'c", "line\nbreak\u202eback", "x".repeat(10_000)])
    it(`keeps the name ${JSON.stringify(name.slice(0, 30))} a name`, async () => {
      const p = new PipelineBuilder();
      p.parDo("x", p.impulse());
      p.transforms["x"].uniqueName = name;
      const page = await topologyPage(planPipeline(p.build(), { parallelism: 1 }), name);
      assert.doesNotMatch(page, /<script|<img|\u202e/);
      assert.ok(page.length < 40_000);
    });
});
