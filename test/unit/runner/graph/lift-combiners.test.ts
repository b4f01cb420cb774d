import assert from "node:assert/strict";
import { liftCombiners, pipelineGraph } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const short = (urn: string): string => urn.split(":")[2];

function sums(expanded: boolean, strategy: object = {}): PipelineBuilder {
  const p = new PipelineBuilder();
  p.combinePerKey("sum", p.parDo("key", p.impulse(), "key by mod 3"), expanded);
  Object.assign(p.windowingStrategies["global"], strategy);
  return p;
}

function partsOfSum(p: PipelineBuilder): string[] {
  const lifted = pipelineGraph(liftCombiners(p.build()));
  return lifted.transforms.filter(({ id }) => id.startsWith("sum")).map(({ urn }) => short(urn));
}

const LIFTED = ["combine_per_key_precombine", "group_by_key", "combine_per_key_merge_accumulators", "combine_per_key_extract_outputs"];
const GROUPED = ["group_by_key", "combine_grouped_values"];

describe("liftCombiners", () => {
  it("replaces a combine per key by its parts, whether or not its SDK expanded it", () => {
    assert.deepEqual(partsOfSum(sums(true)), LIFTED);
    assert.deepEqual(partsOfSum(sums(false)), LIFTED);
  });

  it("gives every part the composite's name, and those of the SDK its payload and environment", () => {
    const pipeline = sums(true).build();
    const payload = pipeline.components!.transforms!["sum"].spec!.payload;
    const parts = pipelineGraph(liftCombiners(pipeline)).transforms.filter(({ id }) => id.startsWith("sum/"));
    assert.deepEqual([...new Set(parts.map(({ uniqueName }) => uniqueName))], ["sum"]);
    for (const part of parts.filter(({ kind }) => kind === "sdk")) {
      assert.equal(part.environmentId, "embedded");
      assert.deepEqual(part.payload, payload);
    }
  });

  it("makes coders for accumulators from the input's key coder", () => {
    const { coders, pcollections } = liftCombiners(sums(true).build()).components!;
    const coderOf = (pcollection: string): unknown => coders![pcollections![pcollection].coderId!];
    const kv = { urn: "beam:coder:kv:v1" };
    assert.deepEqual(coderOf("sum/accumulators"), { spec: kv, componentCoderIds: ["any", "any"] });
    assert.deepEqual(coderOf("sum/grouped"), { spec: kv, componentCoderIds: ["any", "sum/accumulators"] });
    assert.deepEqual(coders!["sum/accumulators"], { spec: { urn: "beam:coder:iterable:v1" }, componentCoderIds: ["any"] });
  });

  it("lifts over sessions of our own SDK", () => {
    const sessions = { mergeStatus: 2, windowFn: { urn: "beam:window_fn:session_windows:v1" } };
    assert.deepEqual(partsOfSum(sums(false, sessions)), LIFTED);
    const p = sums(false, sessions);
    p.environments["embedded"] = { urn: "beam:env:docker:v1" };
    assert.deepEqual(partsOfSum(p), GROUPED);
  });

  it("leaves the original pipeline as it was", () => {
    const pipeline = sums(true).build();
    const before = JSON.stringify(pipeline);
    liftCombiners(pipeline);
    assert.equal(JSON.stringify(pipeline), before);
  });

  it("takes another id when one is taken", () => {
    const p = sums(false);
    p.parDo("sum/precombine", "impulse.0");
    const transforms = liftCombiners(p.build()).components!.transforms!;
    assert.equal(transforms["sum/precombine"].spec!.urn, "beam:transform:pardo:v1");
    assert.ok(transforms["sum/precombine-2"]);
  });

  context("when lifting would change the result", () => {
    for (const [reason, strategy] of [
      ["windows merge", { mergeStatus: 2 }],
      ["panes accumulate", { accumulationMode: 2 }],
      ["the trigger counts elements", { trigger: { repeat: { subtrigger: { elementCount: { elementCount: 3 } } } } }],
      ["early firings count elements", { trigger: { afterEndOfWindow: { earlyFirings: { elementCount: { elementCount: 1 } } } } }],
      ["every element is a pane", { trigger: { always: {} } }],
    ] as const)
      it(`keeps the grouping of the values as ${reason}`, () => {
        assert.deepEqual(partsOfSum(sums(true, strategy)), GROUPED);
        assert.deepEqual(partsOfSum(sums(false, strategy)), GROUPED);
      });

    it("lifts under triggers that only look at time", () => {
      assert.deepEqual(partsOfSum(sums(true, { trigger: { repeat: { subtrigger: { afterProcessingTime: {} } } } })), LIFTED);
      assert.deepEqual(partsOfSum(sums(true, { trigger: { never: {} } })), LIFTED);
    });

    it("does not lift when somebody outside reads what is inside", () => {
      const p = sums(true);
      p.parDo("spy", "sum/GroupByKey.0", "fold");
      assert.deepEqual(partsOfSum(p), GROUPED);
    });
  });
});
