import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { PipelineError } from "../../../../portability/stage-host/index.js";
import { validatePipeline } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

/** A pipeline that is in order, for a test to spoil. */
function wordCount(): PipelineBuilder {
  const p = new PipelineBuilder();
  const words = p.parDo("split", p.impulse("read"), "key by mod 3");
  p.combinePerKey("count", words);
  p.composite("format", [words], [words], []);
  return p;
}

function refuses(p: PipelineBuilder, code: string, message: RegExp): void {
  assert.throws(
    () => validatePipeline(p.build()),
    (error: unknown) => {
      assert.ok(error instanceof PipelineError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("validatePipeline", () => {
  it("accepts a pipeline in order, with an identity composite", () => {
    validatePipeline(wordCount().build());
  });

  it("accepts an empty pipeline", () => {
    validatePipeline({});
  });

  context("requirements", () => {
    it("accepts those of Beam", () => {
      const p = wordCount();
      p.requirements.push("beam:requirement:pardo:stateful:v1", "beam:requirement:pardo:stable_input:v1");
      validatePipeline(p);
    });

    it("names the ones nobody knows", () => {
      const p = wordCount();
      p.requirements.push("beam:requirement:teleport:v1");
      refuses(p, "unknown_requirement", /beam:requirement:teleport:v1/);
    });
  });

  context("reads", () => {
    it("accepts those of a program's source", () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.read("numbers"));
      validatePipeline(p.build());
    });

    it("refuses those of any other source, and of an unknown environment", () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.read("numbers", { urn: "acme:source" }));
      refuses(p, "unsupported_feature", /"numbers" uses the transform beam:transform:read:v1/);
      const lost = new PipelineBuilder();
      lost.parDo("use", lost.read("numbers", { environment: "nowhere" }));
      refuses(lost, "unknown_environment", /"numbers" runs in the environment "nowhere"/);
    });

    it("refuses one whose payload cannot be read", () => {
      const p = new PipelineBuilder();
      p.parDo("use", p.read("numbers"));
      p.transforms["numbers"].spec!.payload = Uint8Array.of(0xff);
      refuses(p, "unsupported_feature", /"numbers" uses the transform beam:transform:read:v1/);
    });
  });

  context("references", () => {
    it("refuses an unknown root", () => {
      const p = wordCount();
      p.roots.push("gone");
      refuses(p, "dangling_reference", /root transforms names a transform "gone"/);
    });

    it("refuses an unknown subtransform and names the parent", () => {
      const p = wordCount();
      p.composite("outer", [], [], ["gone"]);
      refuses(p, "dangling_reference", /transform "outer" names a transform "gone"/);
    });

    it("refuses an unknown PCollection", () => {
      const p = wordCount();
      p.transforms["split"].inputs = { "0": "gone" };
      refuses(p, "dangling_reference", /transform "split" names the PCollection "gone"/);
    });

    it("refuses an unknown coder, component coder, windowing strategy and environment", () => {
      let p = wordCount();
      p.pcollections["split.0"].coderId = "gone";
      refuses(p, "dangling_reference", /PCollection "split.0" names the coder "gone"/);
      p = wordCount();
      p.coders["kv"].componentCoderIds = ["any", "gone"];
      refuses(p, "dangling_reference", /coder "kv" names the component coder "gone"/);
      p = wordCount();
      p.pcollections["split.0"].windowingStrategyId = "gone";
      refuses(p, "dangling_reference", /windowing strategy "gone"/);
      p = wordCount();
      p.transforms["split"].environmentId = "gone";
      refuses(p, "unknown_environment", /transform "split" runs in the environment "gone"/);
    });

    it("does not take inherited property names for ids", () => {
      const p = wordCount();
      p.transforms["split"].environmentId = "constructor";
      refuses(p, "unknown_environment", /"constructor"/);
    });
  });

  context("shape", () => {
    it("refuses a coder that contains itself", () => {
      const p = wordCount();
      p.coders["any"].componentCoderIds = ["kv"];
      refuses(p, "malformed_coder", /contains itself/);
    });

    it("refuses two producers of one PCollection", () => {
      const p = wordCount();
      p.impulse("again");
      p.transforms["again"].outputs = { "0": "split.0" };
      refuses(p, "duplicate_producer", /"split.0" is produced by both "split" and "again"/);
    });

    it("refuses a PCollection that nobody produces", () => {
      const p = wordCount();
      p.parDo("orphan", p.pcollection("nowhere", "any"));
      refuses(p, "missing_producer", /"orphan" reads PCollection "nowhere"/);
    });

    it("names the transforms on a cycle in the direction of the data", () => {
      const p = wordCount();
      const back = p.pcollection("back", "any");
      const merged = p.flatten("merge", ["split.0", back]);
      const out = p.parDo("step", merged);
      p.add("again", p.transforms["step"], [out], [back], {});
      p.transforms["again"].uniqueName = "again";
      refuses(
        p,
        "pipeline_cycle",
        /("merge" → "step" → "again" → "merge"|"step" → "again" → "merge" → "step"|"again" → "merge" → "step" → "again")/,
      );
    });

    it("refuses a composite that contains itself", () => {
      const p = wordCount();
      p.composite("outer", [], [], ["inner"]);
      p.composite("inner", [], [], ["outer"], { parent: "outer" });
      refuses(p, "pipeline_cycle", /"outer" .* among its own subtransforms/);
    });

    it("refuses a grouping with two outputs, unless one is for what comes too late", () => {
      const p = wordCount();
      const groups = p.groupByKey("group", "split.0");
      p.transforms["group"].outputs = { late: p.pcollection("late", "kv"), groups };
      validatePipeline(p.build());
      p.transforms["group"].outputs = { others: "late", groups };
      refuses(p, "malformed_transform", /"group" .* has 2 outputs where 1 must be/);
    });

    it("refuses a grouping of elements that are not keyed", () => {
      const p = wordCount();
      p.groupByKey("group", "read.0");
      refuses(p, "malformed_transform", /"group" reads elements by key, but their coder is beam:coder:bytes:v1/);
    });

    it("refuses a wrong number of inputs", () => {
      const p = wordCount();
      p.transforms["split"].inputs = { "0": "read.0", "1": "read.0" };
      refuses(p, "malformed_transform", /"split" .* has 2 inputs where 1 must be/);
    });

    it("refuses a payload that cannot be read", () => {
      const p = wordCount();
      p.transforms["split"].spec = { urn: "beam:transform:pardo:v1", payload: Uint8Array.of(0x0a, 0xff) };
      refuses(p, "malformed_transform", /"split" has a payload that is no ParDoPayload/);
    });

    it("survives composites and chains nested deeper than the call stack", () => {
      const p = new PipelineBuilder();
      let last = p.impulse();
      for (let i = 0; i < 20_000; i++) last = p.windowInto(`w${i}`, last);
      for (let i = 0; i < 20_000; i++) p.composite(`c${i}`, [], [], i === 0 ? [] : [`c${i - 1}`], { parent: undefined });
      p.roots.splice(0, p.roots.length, ...p.roots.filter((id) => !/^c\d/.test(id)), "c19999");
      p.roots.reverse();
      validatePipeline(p.build());
    });
  });

  context("what cannot be executed", () => {
    it("refuses a leaf with an unknown URN, also one without outputs", () => {
      const p = wordCount();
      p.add("teleport", { spec: { urn: "acme:teleport:v1" } }, ["split.0"], [], {});
      refuses(p, "unknown_transform", /"teleport" has the URN acme:teleport:v1/);
    });

    for (const [feature, payload] of [["input sorted by time without state", { requiresTimeSortedInput: true }]] as const)
      it(`refuses ${feature} and names the transform`, () => {
        const p = wordCount();
        p.transforms["split"].spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, ...payload }).finish();
        refuses(p, "unsupported_feature", new RegExp(`"split" uses ${feature}`));
      });

    for (const [what, payload] of [
      ["state", { stateSpecs: { total: { bagSpec: {} } } }],
      ["timers", { timerFamilySpecs: { expiry: {} } }],
    ] as const) {
      const withPayload = (p: PipelineBuilder, id: string): PipelineBuilder => {
        p.transforms[id].spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, ...payload }).finish();
        return p;
      };

      it(`refuses ${what} of elements without keys`, () => {
        refuses(
          withPayload(wordCount(), "split"),
          "malformed_transform",
          /"split" reads elements by key, but their coder is beam:coder:bytes/,
        );
      });

      it(`refuses ${what} in windows that merge`, () => {
        const p = wordCount();
        p.windowingStrategies["sessions"] = { mergeStatus: beam.pipeline.MergeStatus.Enum.NEEDS_MERGE };
        p.pcollections["read.0"].windowingStrategyId = "sessions";
        refuses(withPayload(p, "split"), "unsupported_feature", /"split" uses state or timers in windows that merge/);
      });
    }

    const iterable = { urn: "beam:side_input:iterable:v1" };
    const multimap = { urn: "beam:side_input:multimap:v1" };
    for (const [what, code, sideInputs, message] of [
      ["that is no input", "malformed_transform", { labels: { accessPattern: iterable } }, /"split" has a side input "labels" that is not/],
      ["read by key without having any", "malformed_transform", { 0: { accessPattern: multimap } }, /reads its side input "0" by key/],
      ["read in an unknown way", "unsupported_feature", { 0: { accessPattern: { urn: "acme:peek" } } }, /the access pattern acme:peek/],
    ] as const)
      it(`refuses a side input ${what}`, () => {
        const p = wordCount();
        p.transforms["split"].spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, sideInputs }).finish();
        refuses(p, code, message);
      });

    it("refuses a side input whose windows merge", () => {
      const p = new PipelineBuilder();
      p.parDoWithSideInputs("look up", p.impulse("main"), [p.impulse("side")]);
      validatePipeline(p.build());
      p.windowingStrategies["sessions"] = { mergeStatus: beam.pipeline.MergeStatus.Enum.NEEDS_MERGE };
      p.pcollections["side.0"].windowingStrategyId = "sessions";
      refuses(p, "unsupported_feature", /"look up" uses a side input "side0" whose windows merge/);
    });
  });
});
