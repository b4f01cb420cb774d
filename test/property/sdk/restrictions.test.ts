// Laws of restrictions: however a restriction is divided while it is processed, and whoever says so, its parts together are the whole, and
// what is put out for them is what would have been put out for it.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Residual } from "../../../portability/stage-host/index.js";
import {
  manualWatermark,
  offsetRange,
  offsetRangeTracker,
  output,
  splittableParDo,
  UserCodeError,
  type OffsetRange,
  type RestrictionTracker,
} from "../../../sdk/index.js";
import { RestrictionDriver, restrictionOf } from "../../support/restriction-driver.js";
import { settle } from "../../support/stage-driver.js";

const numbersOf = ({ start, end }: OffsetRange): number[] => Array.from({ length: end - start }, (_, i) => start + i);
const ascending = (a: number, b: number): number => a - b;

const range = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.nat(60)).map(([start, length]) => offsetRange(start, start + length));
const fraction = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.99, noNaN: true }));
const step = fc.oneof(fc.record({ claim: fc.integer({ min: 1, max: 5 }) }), fc.record({ split: fraction }));

describe("offsetRangeTracker", () => {
  it("divides a range into parts that are the range, and share nothing", () => {
    fc.assert(
      fc.property(range, fc.array(step), fc.option(fc.nat(80), { nil: undefined }), (whole, steps, estimate) => {
        const isOpen = estimate !== undefined;
        const tracker = offsetRangeTracker(isOpen ? offsetRange(whole.start) : whole, isOpen ? () => whole.start + estimate : undefined);
        assert.equal(tracker.isBounded, !isOpen);
        const residuals: OffsetRange[] = [];
        let next = whole.start;
        let isOver = false;
        for (const each of steps) {
          const before = tracker.restriction;
          if ("claim" in each) {
            const position = next + each.claim - 1;
            const claimed = tracker.tryClaim(position);
            assert.equal(claimed, !isOver && position < before.end);
            isOver ||= !claimed;
            next = claimed ? position + 1 : Math.max(next, before.end);
            if (isOver) break;
            continue;
          }
          const { left } = tracker.progress();
          const split = tracker.trySplit(each.split);
          assert.equal(split === undefined, next + Math.ceil(left * each.split) >= before.end, `${each.split} of ${left}`);
          if (split === undefined) continue;
          assert.deepEqual(split.primary, tracker.restriction);
          assert.deepEqual([split.primary.start, split.primary.end, split.residual.end], [before.start, split.residual.start, before.end]);
          assert.ok(split.primary.end >= next, "what is claimed stays");
          if (each.split === 0) assert.equal(split.primary.end, next);
          residuals.unshift(split.residual);
        }
        let at = tracker.restriction.end;
        for (const { start, end } of residuals) {
          assert.equal(start, at);
          at = end;
        }
        assert.equal(at, isOpen ? Infinity : whole.end);
      }),
    );
  });

  it("knows whether all of it was claimed or given up", () => {
    const tracker = offsetRangeTracker(offsetRange(3, 10));
    assert.ok(tracker.tryClaim(3));
    assert.throws(() => tracker.checkDone(), /positions from 4 up to 10 were not claimed/);
    assert.throws(() => tracker.tryClaim(3), /3 came where 4 is next/);
    assert.throws(() => tracker.tryClaim(4.5), RangeError);
    assert.deepEqual(tracker.progress(), { done: 1, left: 6 });
    assert.equal(tracker.tryClaim(tracker.restriction.end), false);
    tracker.checkDone();
    const last = offsetRangeTracker(offsetRange(0, 1));
    assert.ok(last.tryClaim(0));
    last.checkDone();
  });

  it("is of a range of whole numbers", () => {
    assert.throws(() => offsetRange(0.5), RangeError);
    assert.throws(() => offsetRange(3, 2), RangeError);
    assert.throws(() => offsetRange(0, NaN), RangeError);
  });
});

/** The numbers of a set, some of them next to each other: what an author's own tracker might be about. */
class NumbersTracker implements RestrictionTracker<readonly number[], number> {
  readonly isBounded = true;
  private claimed = 0;
  constructor(public restriction: readonly number[]) {}
  tryClaim(position: number): boolean {
    if (this.restriction[this.claimed] !== position) return false;
    this.claimed++;
    return true;
  }
  trySplit(part: number) {
    const at = this.claimed + Math.ceil((this.restriction.length - this.claimed) * part);
    if (at >= this.restriction.length) return undefined;
    const residual = this.restriction.slice(at);
    this.restriction = this.restriction.slice(0, at);
    return { primary: this.restriction, residual };
  }
  progress() {
    return { done: this.claimed, left: this.restriction.length - this.claimed };
  }
  checkDone(): void {
    if (this.claimed < this.restriction.length) throw new Error("numbers are left");
  }
}

type Kind = "plain" | "generator" | "async" | "async generator";

/** Puts out what it claims; the asynchronous ones can be split at any time. */
function counting(kind: Kind) {
  const of = (n: number): string => `${n}`;
  switch (kind) {
    case "plain":
      return splittableParDo({
        outputs: output<string>(),
        restriction: () => offsetRange(0, 0),
        process(_: string, { range: claimed, emit }) {
          for (let i = claimed.start; claimed.tryClaim(i); i++) emit(of(i));
        },
      });
    case "generator":
      return splittableParDo({
        restriction: () => offsetRange(0, 0),
        *process(_: string, { range: claimed }) {
          for (let i = claimed.start; claimed.tryClaim(i); i++) yield of(i);
        },
      });
    case "async":
      return splittableParDo({
        outputs: output<string>(),
        restriction: () => offsetRange(0, 0),
        async process(_: string, { range: claimed, emit }) {
          for (let i = claimed.start; claimed.tryClaim(i); i++) {
            await settle();
            emit(of(i));
          }
        },
      });
    case "async generator":
      return splittableParDo({
        restriction: () => offsetRange(0, 0),
        async *process(_: string, { range: claimed }) {
          for (let i = claimed.start; claimed.tryClaim(i); i++) {
            await settle();
            yield of(i);
          }
        },
      });
  }
}

describe("the work of an element", () => {
  for (const kind of ["plain", "generator", "async", "async generator"] as const)
    it(`is the same however it is cut, by a function that is ${kind}`, async () => {
      const driver = await RestrictionDriver.open(counting(kind));
      await fc.assert(
        fc.asyncProperty(range, fc.array(fc.boolean()), fc.array(fraction, { maxLength: 20 }), async (whole, checkpoints, fractions) => {
          driver.outputs.length = 0;
          const asked = [...checkpoints];
          driver.shouldCheckpoint = () => asked.shift() ?? false;
          const splits = [...fractions];
          const delivered: (Residual | undefined)[] = [undefined];
          for (let rounds = 0; delivered.length > 0; rounds++) {
            assert.ok(rounds < 500, "it gets on");
            const residual = delivered.shift();
            await (residual === undefined ? driver.begin("e", whole) : driver.beginAgain(residual));
            for (let blocked = driver.executor.blocked(); blocked !== undefined; blocked = driver.executor.blocked()) {
              const part = splits.shift();
              if (part === undefined) await blocked;
              else {
                const before = driver.executor.progress?.();
                const wasSplit = driver.executor.split!(part);
                if (wasSplit) assert.ok(driver.executor.progress!()!.left < before!.left);
                await settle();
              }
            }
            await driver.end();
            for (const each of driver.residuals.splice(0)) delivered.push(each);
          }
          assert.deepEqual(driver.values().map(Number).sort(ascending), numbersOf(whole));
        }),
        { numRuns: kind.startsWith("async") ? 60 : 100 },
      );
    });

  it("is cut by a tracker of the author's own", async () => {
    const driver = await RestrictionDriver.open(
      splittableParDo({
        restriction: (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i * i),
        tracker: (numbers) => new NumbersTracker(numbers),
        *process(_, { range: claimed }) {
          for (const n of claimed.restriction) {
            if (!claimed.tryClaim(n)) return;
            yield n;
          }
        },
      }),
    );
    driver.shouldCheckpoint = () => true;
    await driver.begin(5, [0, 1, 4, 9, 16]);
    await driver.end();
    let rounds = 1;
    for (let residual = driver.residuals.shift(); residual !== undefined; residual = driver.residuals.shift(), rounds++) {
      await driver.beginAgain(residual);
      await driver.end();
    }
    assert.deepEqual([driver.values(), rounds], [[0, 1, 4, 9, 16], 5]);
  });

  it("gets on with each delivery, by a position at least", async () => {
    const driver = await RestrictionDriver.open(counting("plain"));
    driver.shouldCheckpoint = () => true;
    await driver.begin("e", offsetRange(0, 2));
    await driver.end();
    assert.deepEqual([driver.values(), driver.residuals.map(restrictionOf)], [["0"], [offsetRange(1, 2)]]);
  });

  it("is handed back with its delay, its watermark and the state of its estimator", async () => {
    const driver = await RestrictionDriver.open(
      splittableParDo({
        outputs: output<string>(),
        restriction: () => offsetRange(0),
        watermark: manualWatermark(),
        process(_: string, { range: claimed, watermark, emit, resume }) {
          claimed.tryClaim(claimed.start);
          emit(`at ${watermark.current()}`, 100);
          watermark.set(100 + claimed.start);
          watermark.set(50); // never back
          return resume(2500);
        },
      }),
    );
    await driver.begin("e", offsetRange(0), 7);
    await driver.end();
    const [first] = driver.residuals.splice(0);
    assert.deepEqual([first.delayMs, first.watermark, restrictionOf(first), first.isTruncated], [2500, 100, offsetRange(1), false]);
    await driver.beginAgain(first);
    await driver.end();
    assert.deepEqual(driver.values(), ["at 7", "at 100"]);
    assert.equal(driver.residuals[0].watermark, 101);
  });

  it("is not handed back where nothing of it is left", async () => {
    const driver = await RestrictionDriver.open(
      splittableParDo({
        restriction: () => offsetRange(0, 1),
        process(_: string, { range: claimed, resume }) {
          claimed.tryClaim(claimed.start);
          return resume(10);
        },
      }),
    );
    await driver.begin("e", offsetRange(0, 1));
    await driver.end();
    assert.deepEqual(driver.residuals, []);
  });

  it("fails where some of it was left out, with the element", async () => {
    const driver = await RestrictionDriver.open(splittableParDo("lazy", { restriction: () => offsetRange(0, 5), process() {} }));
    await assert.rejects(driver.begin("e", offsetRange(0, 5)), (error: unknown) => {
      assert.ok(error instanceof UserCodeError);
      assert.match(error.message, /ended before its restriction in transform "lazy": positions from 0 up to 5 were not claimed/);
      assert.equal(error.site.element, '"e"');
      return true;
    });
  });

  it("claims nothing more once its call has settled", async () => {
    let claim = (): boolean => true;
    const driver = await RestrictionDriver.open(
      splittableParDo({
        restriction: () => offsetRange(0, 1),
        process(_: string, { range: claimed }) {
          claimed.tryClaim(0);
          claim = () => claimed.tryClaim(1);
        },
      }),
    );
    await driver.begin("e", offsetRange(0, 1));
    await driver.end();
    assert.throws(claim, /claimed after its call had settled/);
  });

  for (const [what, restriction, truncate, expected] of [
    ["a bounded range stays", offsetRange(0, 3), undefined, ["0", "1", "2"]],
    ["an endless one ends", offsetRange(0), undefined, []],
    ["the author says what stays", offsetRange(0), () => offsetRange(0, 2), ["0", "1"]],
    ["the author says it later", offsetRange(0), () => Promise.resolve(offsetRange(0, 2)), ["0", "1"]],
    ["the author leaves nothing", offsetRange(0, 3), () => undefined, []],
  ] as const)
    it(`is truncated where it is due: ${what}`, async () => {
      const driver = await RestrictionDriver.open(
        splittableParDo({
          restriction: (): OffsetRange => offsetRange(0),
          truncate,
          *process(_: string, { range: claimed }) {
            for (let i = claimed.start; claimed.tryClaim(i); i++) yield `${i}`;
          },
        }),
      );
      driver.truncation = "due";
      driver.shouldCheckpoint = () => driver.outputs.length > 0;
      await driver.begin("e", restriction);
      await driver.end();
      for (let residual = driver.residuals.shift(); residual !== undefined; residual = driver.residuals.shift()) {
        assert.equal(residual.isTruncated, true);
        driver.truncation = "done";
        await driver.beginAgain(residual);
        await driver.end();
      }
      assert.deepEqual(driver.values(), expected);
    });
});
