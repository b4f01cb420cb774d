// The laws of planning, on random pipelines of toy functions:
// the topology computes what the pipeline says, and its structure is what runner/topology/topology.ts promises.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { beam } from "../../../portability/protos/index.js";
import { planPipeline, type Topology } from "../../../runner/topology/index.js";
import { canonical, interpretPipeline, interpretTopology } from "../../support/graph-interpreter.js";
import { PipelineBuilder } from "../../support/pipeline-builder.js";

const environment = fc.constantFrom("embedded", "embedded", "other", "docker");
const pick = fc.nat(1000);

/** One step of construction; numbers pick inputs among the PCollections there are. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("impulse" as const) }),
  fc.record({ kind: fc.constant("map" as const), toy: fc.constantFrom("increment", "spread", "drop odd", "fold"), pick, environment }),
  fc.record({ kind: fc.constant("key" as const), pick, environment }),
  fc.record({ kind: fc.constant("split" as const), pick, environment }),
  fc.record({ kind: fc.constant("window" as const), pick, environment }),
  fc.record({ kind: fc.constant("side" as const), pick, sides: fc.array(pick, { minLength: 1, maxLength: 2 }), environment }),
  fc.record({ kind: fc.constant("group" as const), pick }),
  fc.record({ kind: fc.constant("combine" as const), pick, environment, expanded: fc.boolean() }),
  fc.record({ kind: fc.constant("reshuffle" as const), pick }),
  fc.record({ kind: fc.constant("flatten" as const), picks: fc.array(pick, { maxLength: 3 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function construct(steps: readonly Step[], countingTrigger: boolean): beam.pipeline.IPipeline {
  const p = new PipelineBuilder();
  if (countingTrigger) p.windowingStrategies["global"].trigger = { elementCount: { elementCount: 1 } };
  const known = [p.impulse("start")];
  const any = (n: number): string => known[n % known.length];
  const withCoder = (coder: string, n: number): string | undefined => {
    const suitable = known.filter((id) => p.pcollections[id].coderId === coder);
    return suitable.length === 0 ? undefined : suitable[n % suitable.length];
  };
  steps.forEach((s, i) => {
    const name = `${s.kind}-${i}`;
    const keyed = (n: number): string => withCoder("kv", n) ?? p.parDo(`${name} key`, any(n), "key by mod 3");
    switch (s.kind) {
      case "impulse":
        return known.push(p.impulse(name));
      case "map":
        return known.push(p.parDo(name, any(s.pick), s.toy as "increment", s));
      case "key":
        return known.push(p.parDo(name, any(s.pick), "key by mod 3", s));
      case "split":
        return known.push(...p.parDoOutputs(name, any(s.pick), "split by parity", 2, "any", s));
      case "side":
        return known.push(p.parDoWithSideInputs(name, any(s.pick), s.sides.map(any), s));
      case "window":
        return known.push(p.windowInto(name, any(s.pick), s));
      case "group":
        return known.push(p.groupByKey(name, keyed(s.pick)));
      case "combine":
        return known.push(p.combinePerKey(name, keyed(s.pick), s.expanded, s.environment));
      case "reshuffle":
        return known.push(p.reshuffle(name, any(s.pick)));
      case "flatten": {
        const [first, ...others] = s.picks;
        if (first === undefined) return known.push(p.flatten(name, []));
        const input = any(first);
        const coder = p.pcollections[input].coderId!;
        return known.push(p.flatten(name, [input, ...others.map((n) => withCoder(coder, n)!)]));
      }
    }
  });
  return p.build();
}

const pipelines = fc.tuple(fc.array(step, { maxLength: 14 }), fc.boolean()).map(([steps, counting]) => construct(steps, counting));

/** PCollections that pardos, windowings and combines of the original pipeline make. */
function effects({ components }: beam.pipeline.IPipeline): string[] {
  return Object.values(components!.transforms!)
    .filter(({ spec }) => /pardo|window_into|combine_per_key:/.test(spec!.urn!))
    .flatMap(({ outputs }) => Object.values(outputs!));
}

function checkStructure(topology: Topology): void {
  const { components, streams } = topology;
  const position = new Map(components.map(({ id }, i) => [id, i]));
  assert.equal(position.size, components.length, "component ids are unique");
  const placed = components.flatMap(({ stage }) => stage.transformIds);
  assert.equal(new Set(placed).size, placed.length, "each transform is in one stage");
  for (const { id, kind, head, stage } of components) {
    const arriving = streams.filter(({ to, sideInput }) => to === id && sideInput === undefined);
    assert.deepEqual(stage.inputs, [head.output]);
    assert.equal(kind === "spout", arriving.length === 0, "spouts alone have no input stream");
    assert.equal(kind === "spout", head.kind === "impulse" || head.kind === "empty");
    const visible = new Set([head.output]);
    for (const transformId of stage.transformIds) {
      const { spec, inputs, outputs, environmentId } = stage.components.transforms![transformId];
      assert.doesNotMatch(spec!.urn!, /impulse|group_by_key:|reshuffle/);
      if (!spec!.urn!.includes("flatten")) assert.equal(environmentId, stage.environmentId);
      for (const [tag, input] of Object.entries(inputs!))
        if (tag.startsWith("side")) assert.ok(stage.sideInputs.includes(input), `${transformId} is not given the side input ${input}`);
        else assert.ok(visible.has(input), `${transformId} reads ${input} before it is there`);
      for (const output of Object.values(outputs!)) visible.add(output);
    }
    for (const output of stage.outputs) {
      assert.ok(visible.has(output));
      assert.ok(
        streams.some(({ from, pcollection }) => from === id && pcollection === output),
        "every output is taken",
      );
    }
    assert.ok(Object.hasOwn(stage.components.environments!, stage.environmentId), "every stage has a host");
  }
  for (const { from, to, pcollection, coderId, sideInput, grouping } of streams) {
    assert.ok(sideInput !== undefined || position.get(from)! < position.get(to)!, "producers come first");
    assert.equal(grouping === "all", sideInput !== undefined, "side inputs go to every task");
    const { stage } = components[position.get(from)!];
    assert.ok(stage.outputs.includes(pcollection));
    assert.ok(stage.components.coders![coderId]);
  }
}

describe("planPipeline", () => {
  it("keeps the elements of every PCollection", () => {
    fc.assert(
      fc.property(pipelines, fc.integer({ min: 1, max: 4 }), (pipeline, parallelism) => {
        const expected = interpretPipeline(pipeline);
        const actual = interpretTopology(planPipeline(pipeline, { parallelism }));
        for (const id of effects(pipeline)) assert.deepEqual(canonical(actual.get(id)), canonical(expected.get(id)), id);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the promises of a topology", () => {
    fc.assert(
      fc.property(pipelines, fc.integer({ min: 1, max: 4 }), (pipeline, parallelism) => {
        checkStructure(planPipeline(pipeline, { parallelism }));
      }),
      { numRuns: 500 },
    );
  });

  it("is the same each time, and leaves the pipeline as it was", () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const before = JSON.stringify(pipeline);
        assert.deepEqual(planPipeline(pipeline, { parallelism: 2 }), planPipeline(pipeline, { parallelism: 2 }));
        assert.equal(JSON.stringify(pipeline), before);
      }),
    );
  });
});
