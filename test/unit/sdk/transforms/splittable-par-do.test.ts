// Splittable ParDos as they are written: in Beam's message, in stages, and what is refused.
import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import { planPipeline } from "../../../../runner/index.js";
import { translatePipeline } from "../../../../sdk/translate/translate-pipeline.js";
import {
  asList,
  create,
  manualWatermark,
  map,
  offsetRange,
  pipeline,
  splittableParDo,
  type Coder,
  type PCollection,
} from "../../../../sdk/index.js";
import { runPipeline } from "../../../../local/testing.js";

const work = { restriction: (n: number) => offsetRange(0, n), process: () => undefined };

function written(transform: (numbers: PCollection<number>) => unknown): beam.pipeline.IPipeline {
  return translatePipeline(pipeline((p) => void transform(p.apply(create("numbers", [1])))).build({}));
}

describe("a splittable ParDo", () => {
  it("is Beam's ParDo with a coder of its restrictions, each with the state of its watermark", () => {
    const { components, requirements } = written((numbers) =>
      numbers.apply(splittableParDo("work", { ...work, watermark: manualWatermark() })),
    );
    const { spec } = components!.transforms!["work"];
    const { restrictionCoderId, requestsFinalization } = beam.pipeline.ParDoPayload.decode(spec!.payload!);
    assert.equal(spec!.urn, "beam:transform:pardo:v1");
    assert.equal(components!.coders![restrictionCoderId].spec!.urn, "beam:coder:kv:v1");
    assert.equal(requestsFinalization, false);
    assert.deepEqual(requirements, ["beam:requirement:pardo:splittable_dofn:v1"]);
  });

  it("says that it wants to hear of durable bundles only where it does", () => {
    const { components, requirements } = written((numbers) => numbers.apply(splittableParDo("work", { ...work, finalizes: true })));
    assert.equal(beam.pipeline.ParDoPayload.decode(components!.transforms!["work"].spec!.payload!).requestsFinalization, true);
    assert.deepEqual(requirements!.slice(1), ["beam:requirement:pardo:finalization:v1"]);
  });

  it("has an unbounded output where it may go on for ever", () => {
    for (const unbounded of [true, false]) {
      const { components } = written((numbers) => numbers.apply(splittableParDo("work", { ...work, unbounded })));
      const [output] = Object.values(components!.transforms!["work"].outputs!);
      assert.equal(components!.pcollections![output].isBounded === beam.pipeline.IsBounded.Enum.UNBOUNDED, unbounded);
    }
  });

  it("begins a component with its processing, which any task may do a part of", () => {
    const { components, streams } = planPipeline(
      written((numbers) => numbers.apply(splittableParDo("work", work)).apply(map("use", (n) => n))),
      {
        parallelism: 3,
      },
    );
    const processing = components.find(({ head }) => head.kind === "splittable")!;
    assert.deepEqual([processing.kind, processing.parallelism, processing.stage.transformIds], ["bolt", 3, ["work/process", "use"]]);
    assert.deepEqual(
      streams.filter(({ to }) => to === processing.id).map(({ grouping }) => grouping),
      ["shuffle"],
    );
  });

  it("may have a coder of one's own for its restrictions", async () => {
    let encoded = 0;
    const coder: Coder<{ readonly start: number; readonly end: number }> = {
      urn: "test:coder:range:v1",
      components: [],
      deterministic: true,
      encode({ start, end }, writer) {
        encoded++;
        writer.writeVarint(start);
        writer.writeVarint(end);
      },
      decode: (reader) => ({ start: reader.readVarint(), end: reader.readVarint() }),
    };
    const found = await runPipeline((p) =>
      p.apply(create([3])).apply(
        splittableParDo({
          restrictionCoder: coder,
          restriction: (n: number) => offsetRange(0, n),
          *process(_, { range }) {
            for (let i = range.start; range.tryClaim(i); i++) yield i;
          },
        }),
      ),
    );
    assert.deepEqual(found, [0, 1, 2]);
    assert.ok(encoded > 0, "for its size on the way to its task");
  });

  it("is refused without its functions, and with side inputs that hide what its context has", () => {
    const refused = (spec: object, message: RegExp): void => {
      assert.throws(() => written((numbers) => numbers.apply(splittableParDo("work", spec as typeof work))), message);
    };
    refused({ process() {} }, /transform "work" has no function `restriction`/);
    refused({ restriction: () => offsetRange(0) }, /transform "work" has no function `process`/);
    assert.throws(
      () => written((numbers) => numbers.apply(splittableParDo("work", { ...work, with: { range: asList(numbers) } }))),
      /side input "range" of transform "work" would hide the context's own/,
    );
    written((numbers) => numbers.apply(map("other", (n, { range }) => n + range.length, { with: { range: asList(numbers) } })));
  });
});
