// Joins and latest values of streams: by window, and by pane where triggers fire more often. Catches pairs across windows, pairs that are lost between panes,
// nulls for what has not come yet, and values that are latest by the clock instead of their time.
import assert from "node:assert/strict";
import { runPipeline, testStream, testStreams, type TestStreams } from "../../../../local/testing.js";
import { utf8Coder, varintCoder, kvCoder, type Coder } from "../../../../portability/coders/index.js";
import {
  afterCount,
  afterWatermark,
  create,
  fixed,
  fullJoin,
  global,
  innerJoin,
  joinByKey,
  kv,
  latestGlobally,
  latestPerKey,
  leftJoin,
  map,
  PaneTiming,
  PipelineError,
  Pipeline,
  afterEachElement,
  repeatedly,
  rightJoin,
  windowInto,
  withCoder,
  withTimestamps,
  type KV,
  type PCollection,
  type PTransform,
  type WindowOptions,
} from "../../../../sdk/index.js";
import { GraphBuilder } from "../../../../sdk/model/graph-builder.js";

type Streams = { left: KV<string, string>; right: KV<string, number> };
type Join = (
  other: PCollection<KV<string, number>>,
) => PTransform<PCollection<KV<string, string>>, PCollection<KV<string, readonly [string | null, number | null]>>>;

async function joined(join: Join, script: TestStreams<Streams>, options: WindowOptions = {}): Promise<string[]> {
  return await runPipeline((p) => {
    const { left, right } = p.apply(script);
    const lefts = left.apply(windowInto(fixed(10), options));
    const rights = right.apply(windowInto(fixed(10), options));
    return lefts
      .apply(join(rights))
      .apply(
        map(
          ({ key, value: [l, r] }, { window, pane }) =>
            `${key} ${l} ${r} ${String(window)}${pane.timing === PaneTiming.EARLY ? " early" : pane.timing === PaneTiming.LATE ? " late" : ""}`,
        ),
      );
  });
}
const streams = (): TestStreams<Streams> => testStreams<Streams>("left", "right");
const a = <T>(value: T): KV<string, T> => kv("a", value);
const both = (script: TestStreams<Streams>, watermark: number): TestStreams<Streams> =>
  script.watermark("left", watermark).watermark("right", watermark);

describe("joins of streams", () => {
  const script = (): TestStreams<Streams> =>
    both(
      both(streams().at("left", 1, a("x"), kv("b", "y")).at("right", 9, a(9), kv("c", 3)).at("right", 10, a(10)), 10).at(
        "left",
        19,
        a("z"),
      ),
      20,
    );
  const expected: Readonly<Record<string, readonly [Join, readonly string[]]>> = {
    innerJoin: [innerJoin, ["a x 9 [0, 10)", "a z 10 [10, 20)"]],
    leftJoin: [leftJoin, ["a x 9 [0, 10)", "a z 10 [10, 20)", "b y null [0, 10)"]],
    rightJoin: [rightJoin, ["a x 9 [0, 10)", "a z 10 [10, 20)", "c null 3 [0, 10)"]],
    fullJoin: [fullJoin, ["a x 9 [0, 10)", "a z 10 [10, 20)", "b y null [0, 10)", "c null 3 [0, 10)"]],
  };
  for (const [name, [join, pairs]] of Object.entries(expected))
    it(`${name} joins what is in a window when both streams have passed its end`, async () => {
      assert.deepEqual((await joined(join, script())).sort(), pairs);
    });

  it("joins all so far in each pane that accumulates, and what comes late", async () => {
    const late = both(streams().at("left", 1, a("x")).at("right", 2, a(1)), 10).at("right", 3, a(2));
    const options: WindowOptions = { trigger: afterWatermark({ late: afterCount(1) }), allowedLatenessMs: 100, panes: "accumulating" };
    assert.deepEqual(await joined(innerJoin, late, options), ["a x 1 [0, 10)", "a x 1 [0, 10) late", "a x 2 [0, 10) late"]);
    assert.deepEqual(await joined(leftJoin, both(streams().at("left", 1, a("x")), 10).at("right", 3, a(2)), options), [
      "a x null [0, 10)",
      "a x 2 [0, 10) late",
    ]);
  });

  it("joins early, what is there by then", async () => {
    const events = both(streams().at("left", 1, a("x")).at("right", 2, a(1)).at("right", 3, a(2)), 10);
    const options: WindowOptions = { trigger: afterWatermark({ early: afterCount(2) }), panes: "accumulating" };
    assert.deepEqual(await joined(innerJoin, events, options), ["a x 1 [0, 10) early", "a x 1 [0, 10)", "a x 2 [0, 10)"]);
  });
});

describe("joinByKey", () => {
  const inputs = (p: Pipeline) => ({
    user: p.apply(create("users", [kv(1, "ada"), kv(2, "bob"), kv(3, "cid")])),
    order: p.apply(create("orders", [kv(1, 10), kv(1, 11), kv(2, 20), kv(9, 90)])),
    visit: p.apply(create("visits", [kv(1, "/a"), kv(1, "/b")])),
  });
  const text = ({ key, value }: KV<number, Readonly<Record<string, unknown>>>): string => `${key} ${JSON.stringify(value)}`;

  it("gives all combinations of keys that all inputs have", async () => {
    const found = await runPipeline((p) => p.apply(joinByKey(inputs(p))).apply(map(text)));
    const of = (order: number, visit: string): string => `1 {"user":"ada","order":${order},"visit":"${visit}"}`;
    assert.deepEqual(found.sort(), [of(10, "/a"), of(10, "/b"), of(11, "/a"), of(11, "/b")]);
  });

  it("gives null for optional inputs that have none", async () => {
    const found = await runPipeline((p) => p.apply(joinByKey("all", inputs(p), { optional: ["order", "visit"] })).apply(map(text)));
    assert.deepEqual(found.filter((each) => !each.startsWith("1")).sort(), [
      '2 {"user":"bob","order":20,"visit":null}',
      '3 {"user":"cid","order":null,"visit":null}',
    ]);
    const full = await runPipeline((p) => p.apply(joinByKey(inputs(p), { optional: ["user", "order", "visit"] })).apply(map(text)));
    assert.ok(full.includes('9 {"user":null,"order":90,"visit":null}'));
    assert.equal(full.length, 7);
  });

  it("refuses an optional input that is none", () => {
    const p = new Pipeline(new GraphBuilder());
    assert.throws(
      () => joinByKey(inputs(p), { optional: ["users" as never] }),
      (error) => error instanceof PipelineError && error.code === "no_input",
    );
  });
});

describe("latest values of streams", () => {
  const script = () =>
    testStream<KV<string, string>>()
      .at(5, kv("a", "five"), kv("b", "B"))
      .at(3, kv("a", "three"))
      .at(8, kv("a", "eight"))
      .at(7, kv("a", "seven"))
      .watermark(10);

  it("are those with the latest timestamps in each window", async () => {
    const found = await runPipeline((p) => {
      const windowed = p.apply(script().at(12, kv("a", "twelve"))).apply(windowInto(fixed(10)));
      return {
        perKey: windowed.apply(latestPerKey()).apply(map("texts", ({ key, value }) => `${key} ${value}`)),
        globally: windowed.apply(latestGlobally()).apply(map(({ value }) => value)),
      };
    });
    assert.deepEqual(found, { perKey: ["a eight", "b B", "a twelve"], globally: ["eight", "twelve"] });
  });

  it("are told anew with each element where panes accumulate, never an earlier one", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(script())
        .apply(windowInto(global(), { trigger: repeatedly(afterEachElement()), panes: "accumulating" }))
        .apply(latestPerKey())
        .apply(map(({ key, value }) => `${key} ${value}`)),
    );
    assert.deepEqual(
      found.filter((each) => each.startsWith("a")),
      ["a five", "a five", "a eight", "a eight"],
    );
  });

  it("keep their coder", () => {
    const coder = kvCoder(utf8Coder, varintCoder) as unknown as Coder<KV<string, number>>;
    const input = new Pipeline(new GraphBuilder())
      .apply(create([kv("a", 1)]))
      .apply(withCoder(coder))
      .apply(withTimestamps(() => 1));
    for (const latest of [input.apply(latestPerKey()), input.apply(latestGlobally())])
      assert.deepEqual(
        latest.coder.components.map(({ urn }) => urn),
        [utf8Coder.urn, varintCoder.urn],
      );
  });
});
