import assert from "node:assert/strict";
import type { StageDescriptor, StageHost } from "../../../../portability/stage-host/index.js";
import { mergeOfGrouping } from "../../../../runner/job/merge-of-grouping.js";

const MERGE = "beam:transform:combine_per_key_merge_accumulators:v1";
const merge = (): number => 0;
const asked: string[] = [];
const host = {
  merger(_stage: StageDescriptor, transformId: string) {
    asked.push(transformId);
    return merge;
  },
} as unknown as StageHost;

/** A stage whose transforms, by id, have this URN and read that PCollection. */
function stageOf(
  transforms: Readonly<Record<string, readonly [urn: string, reads: string]>>,
  outputs: readonly string[] = [],
): StageDescriptor {
  const protos = Object.entries(transforms).map(([id, [urn, reads]]) => [id, { spec: { urn }, inputs: { in: reads } }]);
  return {
    transformIds: Object.keys(transforms),
    outputs,
    components: { transforms: Object.fromEntries(protos) },
  } as unknown as StageDescriptor;
}

describe("mergeOfGrouping", () => {
  it("is that of the combine behind the grouping", () => {
    const stage = stageOf({ merge: [MERGE, "groups"], extract: ["beam:transform:combine_per_key_extract_outputs:v1", "merged"] });
    assert.equal(mergeOfGrouping(host, stage, "groups"), merge);
    assert.deepEqual(asked.splice(0), ["merge"]);
  });

  for (const [why, stage] of [
    ["somebody else reads the groups", stageOf({ merge: [MERGE, "groups"], other: ["beam:transform:pardo:v1", "groups"] })],
    ["they leave the stage", stageOf({ merge: [MERGE, "groups"] }, ["groups"])],
    ["something else reads them", stageOf({ other: ["beam:transform:pardo:v1", "groups"] })],
    ["nobody reads them", stageOf({ merge: [MERGE, "other"] })],
  ] as const)
    it(`is none where ${why}`, () => assert.equal(mergeOfGrouping(host, stage, "groups"), undefined));

  it("is none where the host merges within bundles alone", () =>
    assert.equal(mergeOfGrouping({} as StageHost, stageOf({ merge: [MERGE, "groups"] }), "groups"), undefined));
});
