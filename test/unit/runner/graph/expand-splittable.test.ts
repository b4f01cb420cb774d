import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { expandSplittable, fuse, fusePipeline, lengthPrefixUnknownCoders, pipelineGraph } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

const short = (urn: string): string => urn.split(":")[2];

/** impulse → "files" → splittable "read" with a side input → "use" */
function reading(environment = "docker"): PipelineBuilder {
  const p = new PipelineBuilder();
  const side = p.parDo("side", p.impulse("other impulse"), "increment", { environment });
  const read = p.parDoWithSideInputs("read", p.parDo("files", p.impulse(), "increment", { environment }), [side], { environment });
  p.parDo("use", read, "increment", { environment });
  const { spec } = p.transforms["read"];
  const payload = beam.pipeline.ParDoPayload.decode(spec!.payload!);
  payload.restrictionCoderId = "restriction";
  spec!.payload = beam.pipeline.ParDoPayload.encode(payload).finish();
  p.coders["restriction"] = { spec: { urn: "test:coder:range" } };
  return p;
}

describe("expandSplittable", () => {
  it("replaces a splittable ParDo by its steps, with the parts dealt out before they are processed", () => {
    const parts = pipelineGraph(expandSplittable(reading().build())).transforms.filter(({ id }) => id.startsWith("read"));
    assert.deepEqual(
      parts.map(({ urn }) => short(urn)),
      [
        "sdf_pair_with_restriction",
        "sdf_split_and_size_restrictions",
        "redistribute_arbitrarily",
        "sdf_process_sized_element_and_restrictions",
      ],
    );
  });

  it("gives every step of the SDK the ParDo's name, payload, environment and side inputs", () => {
    const pipeline = reading().build();
    const { transforms } = pipeline.components!;
    const parts = pipelineGraph(expandSplittable(pipeline)).transforms.filter(({ id, kind }) => id.startsWith("read/") && kind === "sdk");
    assert.equal(parts.length, 3);
    for (const part of parts) {
      assert.deepEqual([part.uniqueName, part.environmentId], ["read", "docker"]);
      assert.deepEqual(part.payload, transforms!["read"].spec!.payload);
      assert.deepEqual(
        part.sideInputs.map(({ tag, pcollection }) => [tag, pcollection]),
        [["side0", "side.0"]],
      );
    }
  });

  it("leads from the ParDo's input to its outputs", () => {
    const graph = pipelineGraph(expandSplittable(reading().build()));
    assert.equal(graph.producers.get("read.0")?.id, "read/process");
    assert.deepEqual(
      graph.consumers.get("files.0")?.map(({ id }) => id),
      ["read/pair"],
    );
  });

  it("makes coders of elements with restrictions, and of those with sizes", () => {
    const { coders, pcollections } = expandSplittable(reading().build()).components!;
    assert.equal(pcollections!["read/paired"].coderId, "read/paired");
    assert.equal(coders!["read/paired"].componentCoderIds![1], "restriction");
    assert.deepEqual(coders!["read/sized"].componentCoderIds, ["read/paired", "read/size"]);
    assert.equal(coders!["read/size"].spec!.urn, "beam:coder:double:v1");
    assert.equal(pcollections!["read/dealt"].coderId, "read/sized");
  });

  it("starts a stage with the processing of restrictions", () => {
    const { stages } = fusePipeline(reading().build());
    const processing = stages.find(({ transforms }) => transforms.some(({ id }) => id === "read/process"))!;
    assert.deepEqual(
      processing.transforms.map(({ id }) => id),
      ["read/process", "use"],
    );
    assert.equal(processing.head.output, "read/dealt");
  });

  it("leaves other ParDos and the original pipeline as they were", () => {
    const pipeline = reading().build();
    const before = JSON.stringify(pipeline);
    const expanded = expandSplittable(pipeline);
    assert.equal(JSON.stringify(pipeline), before);
    assert.deepEqual(expanded.components!.transforms!["use"], pipeline.components!.transforms!["use"]);
  });
});

describe("lengthPrefixUnknownCoders, about payloads", () => {
  const restrictionOf = (environment: string): string => {
    const graph = lengthPrefixUnknownCoders(pipelineGraph(expandSplittable(reading(environment).build())));
    fuse(graph); // the graph still hangs together
    const { payload } = graph.components.transforms!["read/process"].spec!;
    return beam.pipeline.ParDoPayload.decode(payload!).restrictionCoderId;
  };

  it("prefixes the restrictions of remote transforms, as it does where they travel", () => {
    const id = restrictionOf("docker");
    const graph = lengthPrefixUnknownCoders(pipelineGraph(expandSplittable(reading().build())));
    const { coders, pcollections } = graph.components;
    assert.equal(coders![id].spec!.urn, "beam:coder:length_prefix:v1");
    const sized = coders![pcollections!["read/sized"].coderId!];
    assert.equal(coders![sized.componentCoderIds![0]].componentCoderIds![1], id);
  });

  it("leaves those of embedded ones", () => {
    assert.equal(restrictionOf("embedded"), "restriction");
  });
});
