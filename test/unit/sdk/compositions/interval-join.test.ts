// Streams joined where timestamps are close. Catches pairs that are missing, doubled or too far apart, pairs behind the watermark, a watermark that
// waits for nothing, and elements that are kept for ever.
import assert from "node:assert/strict";
import { runPipeline, testStreams, type TestStreams } from "../../../../local/testing.js";
import {
  countGlobally,
  create,
  fixed,
  impulse,
  intervalJoin,
  kv,
  map,
  MIN_TIMESTAMP,
  Pipeline,
  PipelineError,
  windowInto,
  withKeys,
  type IntervalJoinOptions,
  type KV,
} from "../../../../sdk/index.js";
import { GraphBuilder } from "../../../../sdk/model/graph-builder.js";

type Streams = { left: KV<string, string>; right: KV<string, number> };
const script = (): TestStreams<Streams> => testStreams<Streams>("left", "right");
const a = <T>(value: T): KV<string, T> => kv("a", value);

async function joined(events: TestStreams<Streams>, interval: IntervalJoinOptions, windowMs?: number): Promise<string[]> {
  return await runPipeline((p) => {
    const { left, right } = p.apply(events);
    const into = windowInto<KV<string, unknown>>(fixed(windowMs ?? 1));
    const [lefts, rights] =
      windowMs === undefined ? [left, right] : [left.apply(into as never) as typeof left, right.apply(into as never) as typeof right];
    return lefts
      .apply(intervalJoin(rights, interval))
      .apply(map(({ key, value: [l, r] }, { timestamp }) => `${key} ${l} ${r} @${timestamp}`));
  });
}

describe("intervalJoin", () => {
  it("joins elements that are close enough, bounds included, at the later timestamp", async () => {
    const events = script()
      .at("left", 100, a("l"))
      .at("right", 89, a(89))
      .at("right", 90, a(90))
      .at("right", 100, a(100))
      .at("right", 105, a(105))
      .at("right", 106, a(106));
    assert.deepEqual(await joined(events, { beforeMs: 10, afterMs: 5 }), ["a l 90 @100", "a l 100 @100", "a l 105 @105"]);
  });

  it("does not mind which side comes first", async () => {
    const events = script()
      .at("right", 106, a(106))
      .at("right", 105, a(105))
      .at("right", 89, a(89))
      .at("right", 90, a(90))
      .at("left", 100, a("l"));
    assert.deepEqual(await joined(events, { beforeMs: 10, afterMs: 5 }), ["a l 90 @100", "a l 105 @105"]);
  });

  it("takes intervals that are on one side of an element", async () => {
    const events = script()
      .at("left", 100, a("l"), kv("b", "l"))
      .at("right", 100, a(0))
      .at("right", 109, a(9))
      .at("right", 110, a(10))
      .at("right", 120, a(20))
      .at("right", 121, a(21));
    assert.deepEqual(await joined(events, { beforeMs: -10, afterMs: 20 }), ["a l 10 @110", "a l 20 @120"]);
    assert.deepEqual(await joined(script().at("left", 5, a("l")).at("right", 5, a(1)).at("right", 6, a(2)), {}), ["a l 1 @5"]);
  });

  it("joins all pairs of several elements of one timestamp", async () => {
    const events = script().at("left", 1, a("x"), a("y")).at("right", 1, a(1), a(2));
    assert.deepEqual((await joined(events, {})).sort(), ["a x 1 @1", "a x 2 @1", "a y 1 @1", "a y 2 @1"]);
  });

  it("joins within a window alone", async () => {
    const events = script().at("left", 9, a("l")).at("right", 8, a(8)).at("right", 10, a(10));
    assert.deepEqual(await joined(events, { beforeMs: 5, afterMs: 5 }, 10), ["a l 8 @9"]);
  });

  it("keeps an element until nothing can come that it is joined with, and not much longer", async () => {
    const events = script()
      .at("left", 100, a("l"))
      .watermark("left", 1000)
      .watermark("right", 120) // what is at 120 is in time, and joined
      .at("right", 120, a(120))
      .watermark("right", 151) // an interval's length later
      .at("right", 110, a(110));
    assert.deepEqual(await joined(events, { beforeMs: 10, afterMs: 20 }), ["a l 120 @120"]);
  });

  it("keeps an element that may still be joined when it forgets an earlier one", async () => {
    const both = (watermark: number, events: TestStreams<Streams>): TestStreams<Streams> =>
      events.watermark("left", watermark).watermark("right", watermark);
    const after = both(40, script().at("left", 19, a("l19")).at("left", 20, a("l20")))
      .at("right", 40, a(40))
      .at("right", 39, a(39));
    assert.deepEqual(await joined(after, { afterMs: 20 }), ["a l20 40 @40", "a l20 39 @39"]);
    const before = both(40, script().at("right", 19, a(19)).at("right", 20, a(20)))
      .at("left", 40, a("l40"))
      .at("left", 39, a("l39"));
    assert.deepEqual(await joined(before, { beforeMs: 20 }), ["a l40 20 @40", "a l39 20 @39"]);
  });

  it("lets the watermark go on", async () => {
    const seen: string[] = [];
    await runPipeline((p) => {
      const events = script()
        .at("left", 1, a("l"))
        .at("right", 2, a(2))
        .watermark("left", 50)
        .watermark("right", 50)
        .at("left", 60, a("m"))
        .at("right", 61, a(61));
      const { left, right } = p.apply(events);
      const pairs = left.apply(intervalJoin(right, { afterMs: 1000 }));
      const counts = pairs.apply(windowInto(fixed(10))).apply(countGlobally());
      return {
        pairs: pairs.apply(map(({ value }) => void seen.push(value.join()))),
        counts: counts.apply(map((n) => void seen.push(`${n} counted`))),
      };
    });
    assert.deepEqual(seen, ["l,2", "1 counted", "l,61", "m,61", "2 counted"]);
  });

  it("joins bounded input, wherever in time it is", async () => {
    const found = await runPipeline((p) => {
      const rights = p.apply(create("rights", [a(1), a(2)]));
      return p
        .apply(create("lefts", [a("l")]))
        .apply(intervalJoin(rights, { beforeMs: 1, afterMs: 1 }))
        .apply(map(({ value }, { timestamp }) => `${value.join()} ${timestamp === MIN_TIMESTAMP}`));
    });
    assert.deepEqual(found.sort(), ["l,1 true", "l,2 true"]);
  });

  it("refuses intervals that are none, and streams that cannot meet", () => {
    const input = new Pipeline(new GraphBuilder()).apply(impulse()).apply(withKeys(() => "key"));
    assert.throws(() => intervalJoin(input, { beforeMs: 1, afterMs: -2 }), RangeError);
    assert.throws(() => intervalJoin(input, { beforeMs: 0.5 }), RangeError);
    const windowed = input.apply(windowInto(fixed(10)));
    assert.throws(() => input.apply(intervalJoin(windowed, {})), PipelineError);
  });
});
