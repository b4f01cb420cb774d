import assert from "node:assert/strict";
import { kvCoder, utf8Coder } from "../../../../portability/coders/index.js";
import { beam } from "../../../../portability/protos/index.js";
import {
  combinePerKey,
  countPerElement,
  create,
  fixed,
  flatten,
  groupByKey,
  keys,
  map,
  minutes,
  option,
  output,
  parDo,
  pipeline,
  reshuffle,
  sumFn,
  windowInto,
  sessions,
  withKeys,
} from "../../../../sdk/index.js";
import { readFunctionPayload } from "../../../../sdk/translate/function-payload.js";
import { translatePipeline } from "../../../../sdk/translate/translate-pipeline.js";
import { windowFnFromProto, windowFnToProto } from "../../../../portability/payloads/window-fns.js";
import { FixedWindows, globalWindows, Sessions, SlidingWindows } from "../../../../portability/windows/index.js";

const definition = pipeline({
  options: { size: option.int({ default: 60_000 }) },
  build: (p, { size }) => {
    const words = p.apply(create("words", ["a", "b"], utf8Coder));
    const { short, long } = words.apply(
      parDo("split", { outputs: { short: output<string>(utf8Coder), long: output<string>(utf8Coder) }, process: () => undefined }),
    );
    const all = p.apply(flatten("all", [short, long])).apply(windowInto("minutes", fixed(size, 10), { timestampCombiner: "latest" }));
    all.apply(countPerElement("count")).apply(keys("keys"));
    all.apply(withKeys("key", (word) => word)).apply(groupByKey("group"));
    all.apply(reshuffle("spread")).apply(map("last", (word) => word));
    all
      .apply(withKeys("length", (word) => word))
      .apply(map("ones", ({ key }) => ({ key, value: 1 })))
      .apply(combinePerKey("sum", sumFn));
  },
});

/** The components of the pipeline, all of them there. */
function translated() {
  const { components, rootTransformIds } = translatePipeline(definition.build());
  const { transforms, pcollections, coders, windowingStrategies, environments } = components ?? {};
  assert.ok(transforms && pcollections && coders && windowingStrategies && environments && rootTransformIds);
  return { transforms, pcollections, coders, windowingStrategies, environments, rootTransformIds };
}

describe("a translated pipeline", () => {
  it("refers only to what it holds", () => {
    const { transforms, pcollections, coders, windowingStrategies, environments, rootTransformIds } = translated();
    const known = (table: object, id: string | null | undefined, where: string): void =>
      assert.ok(id !== undefined && id !== null && Object.hasOwn(table, id), `${where} refers to ${String(id)}`);
    for (const id of rootTransformIds) known(transforms, id, "the pipeline");
    for (const [id, transform] of Object.entries(transforms)) {
      for (const sub of transform.subtransforms ?? []) known(transforms, sub, id);
      for (const pcollection of [...Object.values(transform.inputs ?? {}), ...Object.values(transform.outputs ?? {})])
        known(pcollections, pcollection, id);
      if (transform.environmentId) known(environments, transform.environmentId, id);
    }
    for (const [id, { coderId, windowingStrategyId }] of Object.entries(pcollections)) {
      known(coders, coderId, id);
      known(windowingStrategies, windowingStrategyId, id);
    }
    for (const [id, coder] of Object.entries(coders)) for (const component of coder.componentCoderIds ?? []) known(coders, component, id);
    for (const [id, { windowCoderId, environmentId }] of Object.entries(windowingStrategies)) {
      known(coders, windowCoderId, id);
      known(environments, environmentId, id);
    }
  });

  it("gives every PCollection one producer, and every transform one parent", () => {
    const { transforms, pcollections, rootTransformIds } = translated();
    const leaves = Object.values(transforms).filter(({ subtransforms }) => (subtransforms ?? []).length === 0);
    const produced = leaves.flatMap(({ outputs }) => Object.values(outputs ?? {})).sort();
    assert.deepEqual(produced, Object.keys(pcollections).sort());
    const children = Object.values(transforms).flatMap(({ subtransforms }) => subtransforms ?? []);
    assert.deepEqual([...rootTransformIds, ...children].sort(), Object.keys(transforms).sort());
    for (const [id, { uniqueName }] of Object.entries(transforms)) assert.equal(uniqueName, id);
  });

  it("is the same, byte for byte, each time it is built", () => {
    const bytes = () => Buffer.from(beam.pipeline.Pipeline.encode(translatePipeline(definition.build())).finish()).toString("hex");
    assert.equal(bytes(), bytes());
  });

  it("survives being written and read", () => {
    const pipelineProto = translatePipeline(definition.build());
    const read = beam.pipeline.Pipeline.decode(beam.pipeline.Pipeline.encode(pipelineProto).finish());
    assert.deepEqual(Object.keys(read.components?.transforms ?? {}).sort(), Object.keys(pipelineProto.components?.transforms ?? {}).sort());
  });

  it("writes equal coders once", () => {
    const { coders } = translated();
    const shapes = Object.values(coders).map(({ spec, componentCoderIds }) =>
      JSON.stringify([spec?.urn, Buffer.from(spec?.payload ?? []).toString("hex"), componentCoderIds]),
    );
    assert.equal(new Set(shapes).size, shapes.length);
    assert.equal(shapes.filter((shape) => shape.startsWith('["beam:coder:string_utf8:v1"')).length, 1);
  });

  it("tells coders apart by their components", () => {
    const two = pipeline((p) => {
      p.apply(create("a", [], kvCoder(utf8Coder, utf8Coder)));
      p.apply(create("b", []));
    }).build();
    const urns = Object.values(translatePipeline(two).components?.coders ?? {}).map(({ spec }) => spec?.urn ?? "");
    assert.equal(urns.filter((urn) => urn === "beam:coder:kv:v1").length, 1);
  });

  it("makes a combine a composite of a grouping and the combining of groups", () => {
    const { transforms, coders, pcollections } = translated();
    const combine = transforms.sum;
    assert.equal(combine.spec?.urn, "beam:transform:combine_per_key:v1");
    assert.deepEqual(combine.subtransforms, ["sum/group", "sum/combine"]);
    const group = transforms["sum/group"];
    const grouped = transforms["sum/combine"];
    assert.equal(group.spec?.urn, "beam:transform:group_by_key:v1");
    assert.equal(grouped.spec?.urn, "beam:transform:combine_grouped_values:v1");
    assert.deepEqual(group.inputs, combine.inputs);
    assert.deepEqual(Object.values(group.outputs ?? {}), Object.values(grouped.inputs ?? {}));
    assert.deepEqual(Object.values(grouped.outputs ?? {}), Object.values(combine.outputs ?? {}));
    const payload = beam.pipeline.CombinePayload.decode(combine.spec?.payload ?? new Uint8Array());
    assert.ok(Object.hasOwn(coders, payload.accumulatorCoderId));
    assert.equal(readFunctionPayload(payload.combineFn?.payload).transform, "sum");
    const between = coders[pcollections[Object.values(group.outputs ?? {})[0]].coderId ?? ""];
    assert.equal(between.spec?.urn, "beam:coder:kv:v1");
    assert.equal(coders[between.componentCoderIds?.[1] ?? ""].spec?.urn, "beam:coder:iterable:v1");
  });

  it("lets runners reshuffle in their own way", () => {
    const { transforms } = translated();
    assert.equal(transforms.spread.spec?.urn, "beam:transform:reshuffle:v1");
    assert.ok((transforms.spread.subtransforms ?? []).length > 0);
    assert.ok(!transforms.spread.environmentId);
  });

  it("names the transform of each function, and the environment that has it", () => {
    const { transforms, environments } = translated();
    for (const [id, { spec, environmentId }] of Object.entries(transforms)) {
      if (spec?.urn !== "beam:transform:pardo:v1") continue;
      const payload = beam.pipeline.ParDoPayload.decode(spec.payload ?? new Uint8Array());
      assert.equal(readFunctionPayload(payload.doFn?.payload).transform, id);
      assert.ok(Object.hasOwn(environments, environmentId ?? ""));
    }
    const [environment] = Object.values(environments);
    assert.ok((environment.capabilities ?? []).includes("beam:coder:kv:v1"));
  });

  it("says how each PCollection is windowed", () => {
    const { pcollections, windowingStrategies, transforms } = translated();
    const strategyOf = (transform: string) =>
      windowingStrategies[pcollections[Object.values(transforms[transform].outputs ?? {})[0]].windowingStrategyId ?? ""];
    const windowed = strategyOf("minutes");
    assert.equal(windowed.mergeStatus, beam.pipeline.MergeStatus.Enum.NON_MERGING);
    assert.equal(windowed.outputTime, beam.pipeline.OutputTime.Enum.LATEST_IN_PANE);
    assert.deepEqual(windowFnFromProto(windowed.windowFn), new FixedWindows(minutes(1), 10));
    assert.equal(strategyOf("group"), windowed, "and strategies are written once");
    assert.equal(windowFnFromProto(strategyOf("words").windowFn), globalWindows);
  });
});

describe("sessions in a translated pipeline", () => {
  it("merge in the first grouping, and not again behind it", () => {
    const { MergeStatus } = beam.pipeline;
    const { components } = translatePipeline(
      pipeline((p) => {
        const clicks = p.apply(create("clicks", ["a"])).apply(windowInto("sessions", sessions(1000)));
        clicks
          .apply(withKeys("key", (user) => user))
          .apply(groupByKey("group"))
          .apply(keys("users"))
          .apply(countPerElement("count"));
      }).build(),
    );
    const status = (transform: string): number | null | undefined => {
      const pcollection = components?.pcollections?.[Object.values(components.transforms?.[transform].outputs ?? {})[0]];
      return components?.windowingStrategies?.[pcollection?.windowingStrategyId ?? ""].mergeStatus;
    };
    assert.equal(status("sessions"), MergeStatus.Enum.NEEDS_MERGE);
    for (const behind of ["group", "users", "count"]) assert.equal(status(behind), MergeStatus.Enum.ALREADY_MERGED, behind);
  });
});

describe("window functions on the wire", () => {
  for (const windowFn of [
    new FixedWindows(1),
    new FixedWindows(1500, 1499),
    new FixedWindows(86_400_000, 3_600_000),
    globalWindows,
    new SlidingWindows(600_000, 60_000, 7),
    new Sessions(1801),
  ])
    it(`come back as they were (${JSON.stringify(windowFn)})`, () => {
      assert.deepEqual(windowFnFromProto(windowFnToProto(windowFn)), windowFn);
    });

  it("are refused when unknown", () => {
    assert.throws(() => windowFnFromProto({ urn: "beam:window_fn:other:v1" }), /window function beam:window_fn:other:v1 is not known/);
    assert.throws(() => windowFnFromProto(undefined), /window function \(none\) is not known/);
  });
});

describe("function payloads", () => {
  it("are refused when another SDK wrote them", () => {
    assert.throws(() => readFunctionPayload(Buffer.from("\u0080pickle")), /not written by this SDK/);
    assert.throws(() => readFunctionPayload(Buffer.from("{}")), /names no transform/);
    assert.throws(() => readFunctionPayload(undefined), /not written by this SDK/);
  });
});
