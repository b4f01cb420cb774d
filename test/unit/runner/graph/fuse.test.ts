import { beam } from "../../../../portability/protos/index.js";
import assert from "node:assert/strict";
import { fuse, pipelineGraph, type FuseOptions } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

/** Stages and edges as text, e.g. `1 impulse: a b > b.0` and `1 b.0 2`. */
function fused(p: PipelineBuilder, options?: FuseOptions): { stages: string[]; edges: string[] } {
  const { stages, edges } = fuse(pipelineGraph(p.build()), options);
  const number = (id: string): string => id.replace("stage-", "");
  return {
    stages: stages.map(({ id, head, environmentId, transforms, outputs }) =>
      [number(id), `${head.kind}(${head.output})`, environmentId, transforms.map((t) => t.id).join(" "), outputs.join(" ")].join(" | "),
    ),
    edges: edges.map(
      ({ from, pcollection, to, reshuffled, sideInput }) =>
        `${number(from)} ${pcollection} ${number(to)}${reshuffled ? " reshuffled" : ""}${sideInput === undefined ? "" : ` as ${sideInput}`}`,
    ),
  };
}

describe("fuse", () => {
  it("fuses a chain, and siblings, into the spout", () => {
    const p = new PipelineBuilder();
    const a = p.parDo("a", p.impulse());
    p.parDo("b", a);
    p.windowInto("c", a);
    assert.deepEqual(fused(p), { stages: ["1 | impulse(impulse.0) | embedded | a b c | "], edges: [] });
  });

  it("starts a stage at a grouping", () => {
    const p = new PipelineBuilder();
    p.parDo("b", p.groupByKey("g", p.parDo("a", p.impulse(), "key by mod 3")), "fold");
    assert.deepEqual(fused(p), {
      stages: ["1 | impulse(impulse.0) | embedded | a | a.0", "2 | group-by-key(g.0) | embedded | b | "],
      edges: ["1 a.0 2"],
    });
  });

  it("reads what came too late for a grouping in other stages", () => {
    const p = new PipelineBuilder();
    const groups = p.groupByKey("g", p.parDo("a", p.impulse(), "key by mod 3"));
    p.transforms["g"].outputs = { late: p.pcollection("g.late", "kv"), groups };
    p.parDo("b", groups, "fold");
    p.parDo("c", "g.late");
    assert.deepEqual(fused(p), {
      stages: [
        "1 | impulse(impulse.0) | embedded | a | a.0",
        "2 | group-by-key(g.0) | embedded | b | g.late",
        "3 | relay(g.late) | embedded | c | ",
      ],
      edges: ["1 a.0 2", "2 g.late 3"],
    });
  });

  context("when a transform has state", () => {
    const withState = (payload: beam.pipeline.IParDoPayload = {}): PipelineBuilder => {
      const p = new PipelineBuilder();
      for (const [name, input] of [
        ["first", p.parDo("key", p.impulse(), "key by mod 3")],
        ["second", "first.0"],
      ]) {
        p.parDo(name, input, "key by mod 3");
        const stateSpecs = { bag: { bagSpec: { elementCoderId: "any" } } };
        p.transforms[name].spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, stateSpecs, ...payload }).finish();
      }
      return p;
    };
    const apart = [
      "1 | impulse(impulse.0) | embedded | key | key.0",
      "2 | keyed(key.0) | embedded | first | first.0",
      "3 | keyed(first.0) | embedded | second | ",
    ];

    it("starts a stage there", () => {
      assert.deepEqual(fused(withState()), { stages: apart, edges: ["1 key.0 2", "2 first.0 3"] });
    });

    it("has one join its producer's stage if that is wanted, unless the stage has another one", () => {
      assert.deepEqual(fused(withState(), { joinsState: true }), {
        stages: ["1 | impulse(impulse.0) | embedded | key first | first.0", "2 | keyed(first.0) | embedded | second | "],
        edges: ["1 first.0 2"],
      });
    });

    for (const [what, payload] of [
      ["has timers", { timerFamilySpecs: { due: { timeDomain: beam.pipeline.TimeDomain.Enum.EVENT_TIME } } }],
      ["is told when windows expire", { onWindowExpirationTimerFamilySpec: "end" }],
      ["wants its input by time", { requiresTimeSortedInput: true }],
      ["requires stable input", { requiresStableInput: true }],
    ] as const)
      it(`has none join that ${what}`, () => assert.deepEqual(fused(withState(payload), { joinsState: true }).stages, apart));

    it("has none join over input that does not end", () => {
      const p = withState();
      p.pcollections["key.0"].isBounded = beam.pipeline.IsBounded.Enum.UNBOUNDED;
      assert.deepEqual(fused(p, { joinsState: true }).stages, apart);
    });

    it("has none join behind a grouping", () => {
      const p = new PipelineBuilder();
      p.parDo("remember", p.groupByKey("g", p.parDo("a", p.impulse(), "key by mod 3")));
      const stateSpecs = { bag: { bagSpec: { elementCoderId: "any" } } };
      p.transforms["remember"].spec!.payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn" }, stateSpecs }).finish();
      assert.equal(fused(p, { joinsState: true }).stages.at(-1), "3 | keyed(g.0) | embedded | remember | ");
    });
  });

  context("when a transform has side inputs", () => {
    it("fuses it all the same", () => {
      const p = new PipelineBuilder();
      const side = p.parDo("side", p.impulse("other"));
      p.parDoWithSideInputs("use", p.parDo("a", p.impulse()), [side]);
      assert.deepEqual(fused(p), {
        stages: ["1 | impulse(other.0) | embedded | side | side.0", "2 | impulse(impulse.0) | embedded | a use | "],
        edges: ["1 side.0 2 as side.0"],
      });
    });

    it("gives it a stage of its own if its side input comes from the same one", () => {
      const p = new PipelineBuilder();
      const a = p.parDo("a", p.impulse());
      p.parDoWithSideInputs("use", a, [p.parDo("side", a)]);
      assert.deepEqual(fused(p), {
        stages: ["1 | impulse(impulse.0) | embedded | a side | a.0 side.0", "2 | relay(a.0) | embedded | use | "],
        edges: ["1 a.0 2", "1 side.0 2 as side.0"],
      });
    });

    it("gives it a stage of its own if its side input waits for the same one, over another stage", () => {
      const p = new PipelineBuilder();
      const a = p.parDo("a", p.impulse());
      const fromA = p.groupByKey("g", p.parDo("keyed", a, "key by mod 3"));
      const b = p.parDo("b", p.impulse("other"));
      const fromB = p.parDoWithSideInputs("b uses a", b, [fromA]);
      p.parDoWithSideInputs("a uses b", a, [fromB]);
      const { stages, edges } = fused(p);
      assert.equal(stages.length, 4);
      assert.deepEqual(edges, ["1 keyed.0 2", "2 g.0 3 as g.0", "1 a.0 4", "3 b uses a.0 4 as b uses a.0"]);
    });

    it("gives it a stage of its own behind others that put its elements into other windows", () => {
      const p = new PipelineBuilder();
      const side = p.parDo("side", p.impulse("other"));
      const windowed = p.windowInto("w", p.parDo("a", p.impulse()));
      p.windowingStrategies["fixed"] = { ...p.windowingStrategies["global"], windowFn: { urn: "beam:window_fn:fixed_windows:v1" } };
      p.pcollections[windowed].windowingStrategyId = "fixed";
      p.parDoWithSideInputs("use", windowed, [side]);
      assert.deepEqual(fused(p), {
        stages: [
          "1 | impulse(other.0) | embedded | side | side.0",
          "2 | impulse(impulse.0) | embedded | a w | w.0",
          "3 | relay(w.0) | embedded | use | ",
        ],
        edges: ["2 w.0 3", "1 side.0 3 as side.0"],
      });
    });

    it("gives it one edge for a side input that it reads twice, and one for each part of a flatten", () => {
      const p = new PipelineBuilder();
      const both = p.flatten("f", [p.parDo("x", p.impulse("ix")), p.parDo("y", p.impulse("iy"))]);
      p.parDoWithSideInputs("use", p.impulse(), [both, both]);
      assert.deepEqual(fused(p).edges, ["1 x.0 3 as f.0", "2 y.0 3 as f.0"]);
    });
  });

  it("starts a stage for what requires stable input, unless its head delivers that", () => {
    const p = new PipelineBuilder();
    const act = (name: string, input: string): string => {
      const output = p.parDo(name, input);
      p.transforms[name].spec!.payload = beam.pipeline.ParDoPayload.encode({
        doFn: { urn: "test:fn" },
        requiresStableInput: true,
      }).finish();
      return output;
    };
    act("twice", act("act", p.parDo("make", p.impulse())));
    act("at once", p.groupByKey("g", p.parDo("keyed", p.impulse("other"), "key by mod 3")));
    assert.deepEqual(fused(p), {
      stages: [
        "1 | impulse(impulse.0) | embedded | make | make.0",
        "2 | relay(make.0) | embedded | act | act.0",
        "3 | relay(act.0) | embedded | twice | ",
        "4 | impulse(other.0) | embedded | keyed | keyed.0",
        "5 | group-by-key(g.0) | embedded | at once | ",
      ],
      edges: ["1 make.0 2", "2 act.0 3", "4 keyed.0 5"],
    });
  });

  it("starts a stage behind a reshuffle", () => {
    const p = new PipelineBuilder();
    p.parDo("b", p.reshuffle("r", p.parDo("a", p.impulse())));
    assert.deepEqual(fused(p), {
      stages: ["1 | impulse(impulse.0) | embedded | a | a.0", "2 | relay(r.0) | embedded | b | "],
      edges: ["1 a.0 2 reshuffled"],
    });
  });

  it("starts a stage for another environment, one for all its transforms", () => {
    const p = new PipelineBuilder();
    const a = p.parDo("a", p.impulse());
    p.parDo("x", a, "increment", { environment: "other" });
    p.parDo("y", a, "increment", { environment: "other" });
    p.parDo("b", a);
    assert.deepEqual(fused(p), {
      stages: ["1 | impulse(impulse.0) | embedded | a b | a.0", "2 | relay(a.0) | other | x y | "],
      edges: ["1 a.0 2"],
    });
  });

  it("groups once for two environments", () => {
    const p = new PipelineBuilder();
    const g = p.groupByKey("g", p.parDo("a", p.impulse(), "key by mod 3"));
    p.parDo("b", g, "fold");
    p.parDo("x", g, "fold", { environment: "other" });
    assert.deepEqual(fused(p).stages, [
      "1 | impulse(impulse.0) | embedded | a | a.0",
      "2 | group-by-key(g.0) | embedded | b | g.0",
      "3 | relay(g.0) | other | x | ",
    ]);
  });

  context("with a flatten", () => {
    it("executes it in the stage that all inputs come from, each time it reads one", () => {
      const p = new PipelineBuilder();
      const a = p.parDo("a", p.impulse());
      p.parDo("c", p.flatten("f", [a, p.parDo("b", a), a]));
      assert.deepEqual(fused(p), { stages: ["1 | impulse(impulse.0) | embedded | a b f c | "], edges: [] });
    });

    it("joins stages in a relay", () => {
      const p = new PipelineBuilder();
      const a = p.parDo("a", p.impulse("i"));
      p.parDo("c", p.flatten("f", [a, p.impulse("j"), a]));
      assert.deepEqual(fused(p), {
        stages: ["1 | impulse(i.0) | embedded | a | a.0", "2 | impulse(j.0) | embedded |  | j.0", "3 | relay(f.0) | embedded | c | "],
        edges: ["1 a.0 3", "2 j.0 3", "1 a.0 3"],
      });
    });

    it("needs no stage of its own before a grouping, nor do several", () => {
      const p = new PipelineBuilder();
      const [a, b, c] = ["a", "b", "c"].map((name) => p.parDo(name, p.impulse(`i${name}`), "key by mod 3"));
      p.parDo("d", p.groupByKey("g", p.flatten("f2", [p.flatten("f1", [a, b]), p.reshuffle("r", c)])), "fold");
      assert.deepEqual(fused(p).edges, ["1 a.0 4", "2 b.0 4", "3 c.0 4 reshuffled"]);
    });

    it("executes it behind a reshuffle when all comes from there", () => {
      const p = new PipelineBuilder();
      const r = p.reshuffle("r", p.parDo("a", p.impulse()));
      p.parDo("c", p.flatten("f", [r, p.parDo("b", r)]));
      assert.deepEqual(fused(p).stages.at(-1), "2 | relay(r.0) | embedded | b f c | ");
    });

    it("has a spout that delivers nothing in place of no inputs", () => {
      const p = new PipelineBuilder();
      const nothing = p.flatten("f", []);
      p.parDo("b", nothing);
      p.parDo("c", p.reshuffle("r", nothing));
      assert.deepEqual(fused(p), {
        stages: ["1 | empty(f.0) | embedded | b | f.0", "2 | relay(r.0) | embedded | c | "],
        edges: ["1 f.0 2 reshuffled"],
      });
    });
  });

  it("hands a grouping's output on to another, in the environment it came from", () => {
    const p = new PipelineBuilder();
    const keyed = p.parDo("a", p.impulse(), "key by mod 3", { environment: "other" });
    p.parDo("b", p.groupByKey("h", p.groupByKey("g", keyed)), "fold");
    assert.equal(fused(p).stages[1], "2 | group-by-key(g.0) | other |  | g.0");
  });

  it("drops what has no effect", () => {
    const p = new PipelineBuilder();
    p.impulse("unused");
    p.flatten("f", [p.reshuffle("r", p.groupByKey("g", p.parDo("a", p.impulse(), "key by mod 3")))]);
    assert.deepEqual(fused(p).stages, ["1 | impulse(impulse.0) | embedded | a | "]);
  });
});
