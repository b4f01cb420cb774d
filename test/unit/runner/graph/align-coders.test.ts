import assert from "node:assert/strict";
import { alignCoders, fusePipeline } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

/** Joins PCollections of these coders into one of `any`, and uses it. */
function joined(coders: readonly string[], environment = "docker", deal = true): PipelineBuilder {
  const p = new PipelineBuilder();
  const inputs = coders.map((coder, i) => {
    const [output] = p.parDoOutputs(`make ${i}`, p.impulse(`impulse ${i}`), "increment", 1, coder, { environment });
    return deal ? p.reshuffle(`deal ${i}`, output) : output;
  });
  p.pcollection("joined", "any");
  p.add("join", { spec: { urn: "beam:transform:flatten:v1" } }, inputs, ["joined"], {});
  p.parDo("use", "joined", "increment", { environment });
  // Embedded environments alone, if that is what is asked for.
  if (environment !== "docker") delete p.environments["docker"];
  return p;
}

const conversions = (p: PipelineBuilder): string[] =>
  Object.keys(alignCoders(p.build()).components!.transforms!).filter((id) => id.includes("convert"));

describe("alignCoders", () => {
  it("converts exactly the inputs whose coder is not that of the output", () => {
    assert.deepEqual(conversions(joined(["any", "bytes", "any"])), ["join/convert 1"]);
    assert.deepEqual(conversions(joined(["any", "any"])), []);
  });

  it("leaves plain objects alone", () => {
    assert.deepEqual(conversions(joined(["any", "bytes"], "embedded")), []);
  });

  it("has the SDK convert where the elements come from, without a further stage", () => {
    const { stages } = fusePipeline(joined(["any", "bytes"], "docker", false).build());
    const stage = stages.find(({ transforms }) => transforms.some(({ id }) => id === "join/convert 1"))!;
    assert.deepEqual(
      stage.transforms.map(({ id }) => id),
      ["make 1", "join/convert 1"],
    );
    assert.equal(stage.environmentId, "docker");
  });

  it("has them converted in a stage of its own behind a reshuffle, where nobody has them yet", () => {
    const { stages, edges } = fusePipeline(joined(["any", "bytes"]).build());
    const stage = stages.find(({ transforms }) => transforms.some(({ id }) => id === "join/convert 1"))!;
    assert.equal(stage.head.output, "deal 1.0");
    const use = stages.find(({ transforms }) => transforms.some(({ id }) => id === "use"))!;
    const read = edges.filter(({ to }) => to === use.id).map(({ pcollection }) => pcollection);
    assert.deepEqual(read, ["make 0.0", "join/1"]);
  });

  it("has what a reshuffle puts out converted before it, where that is declared otherwise than what it takes", () => {
    const p = joined(["any", "any"]);
    p.pcollections["deal 0.0"].coderId = "bytes";
    assert.deepEqual(conversions(p), ["deal 0/convert 0", "join/convert 0"]);
  });

  it("keeps the original pipeline as it was", () => {
    const pipeline = joined(["any", "bytes"]).build();
    const before = JSON.stringify(pipeline);
    alignCoders(pipeline);
    assert.equal(JSON.stringify(pipeline), before);
  });
});
