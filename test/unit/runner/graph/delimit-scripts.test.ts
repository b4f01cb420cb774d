import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { delimitScripts, fusePipeline } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

/** A script of one element → "use", with the element written in `written` and declared as `declared`. */
function scripted(written: string, declared = written, environment = "docker"): PipelineBuilder {
  const p = new PipelineBuilder();
  p.coders["prefixed"] = { spec: { urn: "beam:coder:length_prefix:v1" }, componentCoderIds: ["any"] };
  const payload = beam.pipeline.TestStreamPayload.encode({
    coderId: written,
    events: [{ elementEvent: { elements: [{ encodedElement: Uint8Array.of(7, 8) }] } }],
  }).finish();
  p.add("script", { spec: { urn: "beam:transform:teststream:v1", payload } }, [], [p.pcollection("declared", declared)], {});
  p.parDo("use", "declared", "increment", { environment });
  if (environment === "embedded") delete p.environments["docker"];
  p.windowingStrategies["global"].windowCoderId = "bytes";
  return p;
}

/** A coder as a term, e.g. `kv(any,any)`. */
function term({ components }: beam.pipeline.IPipeline, coderId: string): string {
  const { spec, componentCoderIds } = components!.coders![coderId];
  const parts = (componentCoderIds ?? []).map((id) => term({ components }, id));
  return spec!.urn!.split(":")[2] + (parts.length > 0 ? `(${parts.join(",")})` : "");
}

function scriptOf(pipeline: beam.pipeline.IPipeline): { coder: string; element: number[]; output: string } {
  const { spec, outputs } = pipeline.components!.transforms!["script"];
  const { coderId, events } = beam.pipeline.TestStreamPayload.decode(spec!.payload!);
  const [output] = Object.values(outputs!);
  assert.equal(term(pipeline, pipeline.components!.pcollections![output].coderId!), term(pipeline, coderId));
  return { coder: term(pipeline, coderId), element: [...events[0].elementEvent!.elements![0].encodedElement!], output };
}

describe("delimitScripts", () => {
  for (const coder of ["any", "bytes", "kv"])
    it(`puts the length in front of elements, however their SDK has written them: ${coder}`, () => {
      const pipeline = delimitScripts(scripted(coder).build());
      const { coder: written, element } = scriptOf(pipeline);
      assert.match(written, /^length_prefix\(.+\)$/);
      assert.deepEqual(element, [2, 7, 8]);
    });

  it("has the SDK that reads them write them as they were declared, without a further stage", () => {
    const p = scripted("bytes");
    const { components } = delimitScripts(p.build());
    assert.equal(components!.pcollections!["declared"].coderId, "bytes");
    const { stages } = fusePipeline(p.build());
    const stage = stages.find(({ transforms }) => transforms.some(({ id }) => id === "use"))!;
    assert.equal(stage.environmentId, "docker");
    assert.deepEqual(
      stage.transforms.map(({ id }) => id),
      ["script/read 0", "use"],
    );
  });

  it("has them written as they were declared, also where the script names another coder", () => {
    const { components } = delimitScripts(scripted("bytes", "any").build());
    const [made] = Object.values(components!.transforms!["script"].outputs!);
    assert.equal(term({ components }, components!.pcollections![made].coderId!), "length_prefix(bytes)");
    const { inputs, outputs, environmentId } = components!.transforms!["script/read 0"];
    assert.deepEqual({ inputs, outputs, environmentId }, { inputs: { in: made }, outputs: { out: "declared" }, environmentId: "docker" });
    assert.equal(components!.pcollections!["declared"].coderId, "any");
  });

  it("leaves elements as they are that have their length, also where the script names what is inside", () => {
    for (const written of ["any", "prefixed"]) {
      const pipeline = delimitScripts(scripted(written, "prefixed").build());
      assert.deepEqual(scriptOf(pipeline), { coder: "length_prefix(any)", element: [7, 8], output: "declared" });
    }
  });

  it("leaves scripts alone whose elements are plain objects", () => {
    const pipeline = scripted("bytes", "bytes", "embedded").build();
    assert.equal(delimitScripts(pipeline), pipeline);
    const mixed = scripted("bytes", "bytes", "docker");
    mixed.transforms["use"].environmentId = "embedded";
    assert.deepEqual(scriptOf(delimitScripts(mixed.build())), { coder: "bytes", element: [7, 8], output: "declared" });
  });

  it("refuses a script whose coder is missing, by the transform's name", () => {
    assert.throws(() => delimitScripts(scripted("nowhere", "bytes").build()), {
      code: "malformed_transform",
      message: /"script".*"nowhere"/,
    });
  });
});
