// Readers of sources by the clock, and what watermark policies make of elements. Catches drift, bursts, elements that two readers both
// have, and watermarks that are ahead of what comes.
import assert from "node:assert/strict";
import { MIN_TIMESTAMP } from "../../../../portability/values/index.js";
import {
  eventTime,
  ingestionTime,
  periodicImpulse,
  processingTime,
  sequence,
  unboundedSource,
  UserCodeError,
  type ReadResult,
  type SourceSpec,
} from "../../../../sdk/index.js";
import { SourceProbe } from "../../../support/source-probe.js";

describe("sequence", () => {
  it("has a number when it is due, by its index and not by the one before", async () => {
    const probe = await SourceProbe.open(sequence({ perSecond: 3 }));
    assert.deepEqual(probe.read(), { elements: [0], timestamps: [0], next: 1000 / 3 });
    probe.clock.advance(400); // late
    assert.deepEqual(probe.read(), { elements: [1], timestamps: [333], next: 2000 / 3 });
    probe.clock.advance(2600);
    assert.deepEqual(probe.read().elements, [2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("keeps its rate to the millisecond over a day", async () => {
    const probe = await SourceProbe.open(sequence({ perSecond: 7, catchUpMs: Infinity }));
    probe.read();
    let count = 1;
    for (let hour = 0; hour < 24; hour++) {
      probe.clock.advance(3_600_000);
      count += probe.read().elements.length;
    }
    assert.equal(count, 1 + 86_400 * 7);
  });

  it("makes up for no more than it is told to after a standstill", async () => {
    const probe = await SourceProbe.open(sequence({ perSecond: 10, catchUpMs: 1000 }));
    probe.read();
    probe.clock.advance(3_600_000);
    const { elements, next } = probe.read();
    assert.deepEqual(elements, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert.equal(next, 3_600_100);
  });

  it("stops where the pipeline takes no more, and goes on from there", async () => {
    const probe = await SourceProbe.open(sequence({ from: 10, to: 13 }));
    assert.deepEqual(probe.read(2), { elements: [10, 11], timestamps: [0, 0], next: "more" });
    assert.deepEqual(probe.read(2), { elements: [12], timestamps: [0], next: "end" });
  });

  it("gives each of several readers its share, at the rate of all together", async () => {
    const shares: number[][] = [];
    for (let index = 0; index < 3; index++) {
      const probe = await SourceProbe.open(sequence({ to: 10, perSecond: 1000 }), { index, count: 3 });
      const found = [...probe.read().elements];
      probe.clock.advance(index);
      found.push(...probe.read().elements);
      probe.clock.advance(100);
      const { elements, next } = probe.read();
      assert.equal(next, "end");
      shares.push([...found, ...elements]);
    }
    assert.deepEqual(shares, [
      [0, 3, 6, 9],
      [1, 4, 7],
      [2, 5, 8],
    ]);
  });

  it("has the timestamp of the next number as its watermark", async () => {
    const probe = await SourceProbe.open(sequence({ perSecond: 1000, timestampOf: (n) => n * 60_000 }));
    assert.equal(probe.watermark, MIN_TIMESTAMP);
    assert.deepEqual(probe.read().timestamps, [0]);
    assert.equal(probe.watermark, 60_000);
  });

  it("refuses options that make no sense", () => {
    assert.throws(() => sequence({ perSecond: 0 }), /perSecond must be above 0, not 0/);
    assert.throws(() => sequence({ from: 5, to: 4 }), /to must be a whole number of at least 5, not 4/);
    assert.throws(() => sequence({ from: 0.5 }), /from must be a whole number, not 0.5/);
  });
});

describe("periodicImpulse", () => {
  it("has every tick, those that are over at once, with the tick as timestamp", async () => {
    const probe = await SourceProbe.open(periodicImpulse({ everyMs: 100, from: -250, to: 200 }));
    assert.deepEqual(probe.read(), { elements: [-250, -150, -50], timestamps: [-250, -150, -50], next: 50 });
    assert.equal(probe.watermark, 50);
    probe.clock.advance(1000);
    assert.deepEqual(probe.read(), { elements: [50, 150], timestamps: [50, 150], next: "end" });
  });

  it("starts now unless told otherwise, and leaves no tick out after a standstill", async () => {
    const probe = await SourceProbe.open(periodicImpulse({ everyMs: 1 }));
    probe.clock.advance(3_600_000);
    assert.equal(probe.read().elements.length, 3_600_001);
  });
});

/** A source that has what the test puts into `waiting`. */
function scripted(options: Partial<SourceSpec<number>> = {}, given?: (n: number) => number) {
  const waiting: number[] = [];
  const said: ReadResult[] = [];
  const source = unboundedSource<number>({
    ...options,
    open: () => ({
      read(emit) {
        for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) if (!emit(n, given?.(n))) return "more";
        return said.shift() ?? "later";
      },
    }),
  });
  return { source, waiting, said };
}

describe("watermark policies", () => {
  it("ingestion time: the clock stamps what is read, whatever the source says, and is the watermark", async () => {
    const { source, waiting } = scripted({ watermark: ingestionTime() }, () => 5);
    const probe = await SourceProbe.open(source);
    waiting.push(1, 2);
    probe.clock.advance(700);
    assert.deepEqual(probe.read().timestamps, [700, 700]);
    probe.clock.advance(1);
    assert.equal(probe.watermark, 701);
  });

  it("processing time: the source's timestamps count, and the clock is the watermark", async () => {
    const { source, waiting } = scripted({ watermark: processingTime() }, (n) => n * 10);
    const probe = await SourceProbe.open(source);
    waiting.push(1, 2);
    probe.clock.advance(700);
    assert.deepEqual(probe.read().timestamps, [10, 20]);
    assert.equal(probe.watermark, 700);
  });

  it("does not go back with the clock", async () => {
    const { source, waiting } = scripted();
    const probe = await SourceProbe.open(source);
    probe.clock.advance(700);
    assert.equal(probe.watermark, 700);
    probe.clock.advance(-300);
    waiting.push(1);
    assert.deepEqual(probe.read().timestamps, [700]);
    assert.equal(probe.watermark, 700);
  });

  it("event time: the watermark is behind the greatest timestamp, and stays when others come", async () => {
    const { source, waiting } = scripted({ watermark: eventTime((n: number) => n * 1000, { maxDelayMs: 250 }) });
    const probe = await SourceProbe.open(source);
    assert.equal(probe.watermark, MIN_TIMESTAMP);
    waiting.push(3, 1);
    assert.deepEqual(probe.read().timestamps, [3000, 1000]);
    assert.equal(probe.watermark, 2750);
    waiting.push(2);
    probe.read();
    probe.clock.advance(1e6);
    assert.equal(probe.watermark, 2750);
  });

  it("event time: names the element that has none", async () => {
    const { source, waiting } = scripted({ watermark: eventTime(() => NaN) });
    const probe = await SourceProbe.open(source);
    waiting.push(42);
    assert.throws(
      () => probe.read(),
      (error) => error instanceof UserCodeError && error.site.element === "42" && /no timestamp .*not NaN/.test(error.message),
    );
  });
});

describe("unboundedSource", () => {
  it("ends after as many elements as it may have, and takes nothing beyond", async () => {
    const { source, waiting } = scripted({ maxElements: 2 });
    const probe = await SourceProbe.open(source);
    waiting.push(1, 2, 3);
    const { elements, next } = probe.read();
    assert.deepEqual([elements, next], [[1, 2], "end"]);
  });

  it("ends when its time is over, whenever it would have been read", async () => {
    const { source, said } = scripted({ maxReadMs: 100 });
    const probe = await SourceProbe.open(source);
    said.push("later", 50, 500);
    assert.deepEqual([probe.read().next, probe.read().next, probe.read().next], [100, 50, 100]);
    probe.clock.advance(100);
    assert.equal(probe.read().next, "end");
  });

  it("names the transform of a reader that throws, or that says something else than it may", async () => {
    const source = unboundedSource<number>({
      name: "broken",
      open: () => ({
        read() {
          throw new Error("no disk");
        },
      }),
    });
    const broken = await SourceProbe.open(source);
    assert.throws(() => broken.read(), /^UserCodeError: the source could not be read in transform "broken": no disk$/);
    const { source: vague, said } = scripted();
    said.push(NaN);
    const probe = await SourceProbe.open(vague);
    assert.throws(() => probe.read(), /read\(\) must return "more", "later", "end" or a time, not NaN/);
  });

  it("fails at the next read when its reader says so between two", async () => {
    let fail: (error: unknown) => void = () => {};
    const source = unboundedSource<number>({
      open: (context) => {
        ({ fail } = context);
        return { read: () => "later" };
      },
    });
    const probe = await SourceProbe.open(source);
    assert.equal(probe.read().next, Infinity);
    fail(new Error("gone"));
    assert.equal(probe.calls, 1);
    assert.throws(() => probe.read(), /the source failed in transform "unboundedSource": gone/);
  });

  it("closes its reader once", async () => {
    let closed = 0;
    const probe = await SourceProbe.open(unboundedSource<number>({ open: () => ({ read: () => "later", close: () => void closed++ }) }));
    await probe.close();
    await probe.close();
    assert.equal(closed, 1);
  });

  it("refuses options that make no sense", () => {
    const open = () => ({ read: () => "end" as const });
    assert.throws(() => unboundedSource({ open, parallelism: 0 }), /parallelism must be a whole number of at least 1, not 0/);
    assert.throws(() => unboundedSource({ open, idleAfterMs: 0 }), /idleAfterMs must be above 0, not 0/);
    assert.throws(() => eventTime(() => 0, { maxDelayMs: -1 }), /maxDelayMs must be 0 or more, not -1/);
  });
});
