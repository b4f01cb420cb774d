import assert from "node:assert/strict";
import { planPipeline, printTopology, type Topology } from "../../../../runner/topology/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

function wordCount(): Topology {
  const p = new PipelineBuilder();
  const words = p.parDo("read/split", p.impulse("read/impulse"), "key by mod 3");
  p.parDo("format", p.combinePerKey("count", words), "fold");
  return planPipeline(p.build(), { parallelism: 4 });
}

function named(name: string): Topology {
  const p = new PipelineBuilder();
  p.parDo("x", p.impulse("y"));
  p.transforms["x"].uniqueName = name;
  p.transforms["y"].uniqueName = name;
  return planPipeline(p.build(), { parallelism: 1 });
}

describe("printTopology", () => {
  it("writes text", () => {
    assert.equal(
      printTopology(wordCount()),
      `spout-1 read ×1
    impulse
    pardo: read/split
    combine_per_key_precombine: count
    ─ fields (stream 1) → bolt-2 count
bolt-2 count ×4
    group-by-key: count
    combine_per_key_merge_accumulators: count
    combine_per_key_extract_outputs: count
    pardo: format
`,
    );
  });

  it("writes Mermaid", () => {
    assert.equal(
      printTopology(wordCount(), "mermaid"),
      `flowchart TD
  c1(["spout-1 read ×1<br/>impulse<br/>pardo: read/split<br/>combine#95;per#95;key#95;precombine: count"])
  c2["bolt-2 count ×4<br/>group-by-key: count<br/>combine#95;per#95;key#95;merge#95;accumulators: count<br/>combine#95;per#95;key#95;extract#95;outputs: count<br/>pardo: format"]
  c1 -- "fields (stream 1)" --> c2
`,
    );
  });

  it("writes DOT", () => {
    assert.equal(
      printTopology(wordCount(), "dot"),
      String.raw`digraph topology {
  node [shape=box];
  c1 [label="spout-1 read ×1\limpulse\lpardo: read/split\lcombine_per_key_precombine: count\l", style=rounded];
  c2 [label="bolt-2 count ×4\lgroup-by-key: count\lcombine_per_key_merge_accumulators: count\lcombine_per_key_extract_outputs: count\lpardo: format\l"];
  c1 -> c2 [label="fields (stream 1)"];
}
`,
    );
  });

  context("with hostile names", () => {
    const hostile = 'a"]; evil["\\\n--> c9 <script>#35;`end\u2028\u202e';

    it("keeps text names on their line", () => {
      const lines = printTopology(named(hostile)).trimEnd().split("\n");
      assert.equal(lines.length, 3);
      assert.doesNotMatch(lines.join(""), /[\u2028\u202e]/u);
    });

    it("ends no Mermaid string", () => {
      const label = /^ {2}c1\(\["(.*)"\]\)$/.exec(printTopology(named(hostile), "mermaid").split("\n")[1])![1];
      assert.doesNotMatch(label.replaceAll("<br/>", "").replaceAll(/#\d+;/g, ""), /["<>`#;[\]\\]/);
    });

    it("ends no DOT string", () => {
      const label = /^ {2}c1 \[label="(.*)", style=rounded\];$/.exec(printTopology(named(hostile), "dot").split("\n")[2])![1];
      assert.doesNotMatch(label.replaceAll(/\\./g, ""), /["\\]/);
    });
  });
});
