import assert from "node:assert/strict";
import { UserCodeError } from "../../../../portability/stage-host/index.js";
import {
  IntervalWindow,
  type Window,
  filter,
  flatMap,
  map,
  windowInto,
  fixed,
  withTimestamps,
  type PCollection,
} from "../../../../sdk/index.js";
import { at, Deferred, runBundle, settle, StageDriver } from "../../../support/stage-driver.js";

const renderWindow = (window: Window): string => (window instanceof IntervalWindow ? `[${window.start}, ${window.end})` : "global");

type Numbers = PCollection<number>;

/** A function whose calls are answered by hand, by element. */
function byHand<R>() {
  const calls = new Map<number, Deferred<R>>();
  const fn = (n: number): Promise<R> => {
    const deferred = new Deferred<R>();
    calls.set(n, deferred);
    return deferred.promise;
  };
  return { calls, fn, started: () => [...calls.keys()] };
}

const userError = (message: RegExp, element?: string) => (error: unknown) => {
  assert.ok(error instanceof UserCodeError, String(error));
  assert.match(error.message, message);
  if (element !== undefined) assert.equal(error.site.element, element);
  assert.match(error.site.line ?? "", /functions\.test\.ts:\d+/);
  return true;
};

describe("map, filter and flatMap in the harness", () => {
  context("with synchronous functions", () => {
    it("delivers every result before the next element is taken", async () => {
      const stage = await StageDriver.open((input: Numbers) => input.apply(map((n) => n * 2)));
      assert.equal(stage.start(), undefined);
      stage.send(1);
      assert.deepEqual(stage.values(), [2]);
      stage.send(2);
      assert.deepEqual(stage.values(), [2, 4]);
      assert.equal(stage.blocked(), undefined);
      assert.equal(stage.finish(), undefined, "a synchronous bundle ends synchronously");
    });

    it("keeps timestamp and window, and shows them to the function", async () => {
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(map((n, { timestamp, window }) => [n, timestamp, renderWindow(window)])),
      );
      const meta = at(42);
      stage.sendAt(1, meta);
      assert.deepEqual(stage.values(), [[1, 42, "global"]]);
      assert.equal(stage.outputs.out[0].meta, meta, "the meta is shared, not copied");
    });

    it("filters", async () => {
      assert.deepEqual(await runBundle((input: Numbers) => input.apply(filter((n) => n % 2 === 0)), [1, 2, 3, 4]), [2, 4]);
    });

    it("flattens arrays, strings, sets and generators, and takes nothing for no output", async () => {
      const outputs: Record<number, Iterable<unknown>> = {
        1: ["a", "b"],
        2: new Set(["c"]),
        3: "de",
        4: (function* () {
          yield "f";
        })(),
        5: undefined as never,
        6: null as never,
      };
      const found = await runBundle((input: Numbers) => input.apply(flatMap((n) => outputs[n])), [1, 2, 3, 4, 5, 6]);
      assert.deepEqual(found, ["a", "b", "c", "d", "e", "f"]);
    });

    it("counts the elements of every PCollection", async () => {
      const stage = await StageDriver.open((input: Numbers) => input.apply(filter((n) => n > 1)).apply(map((n) => n)));
      stage.send(1, 2, 3);
      assert.deepEqual(
        [...stage.counts().values()].toSorted((a, b) => a - b),
        [2, 2, 3],
      );
    });

    it("reports what the function throws, with the element and its author's line", async () => {
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          map("divide", () => {
            throw new RangeError("by zero");
          }),
        ),
      );
      assert.throws(() => stage.send(7), userError(/failed in transform "divide": by zero/, "7"));
    });

    it("refuses an output that cannot be iterated", async () => {
      const stage = await StageDriver.open((input: Numbers) => input.apply(flatMap(() => 5 as never)));
      assert.throws(() => stage.send(1), userError(/not iterable.*expected an iterable, got number/));
    });

    it("reports a generator that throws midway; what it gave before was delivered", async () => {
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          flatMap(function* (n) {
            yield n;
            throw new Error("midway");
          }),
        ),
      );
      assert.throws(() => stage.send(1), userError(/its iterator threw.*midway/));
      assert.deepEqual(stage.values(), [1]);
    });
  });

  context("with promises", () => {
    it("keeps the order of elements, whatever order promises settle in", async () => {
      const { calls, fn } = byHand<string>();
      const stage = await StageDriver.open((input: Numbers) => input.apply(map(fn)));
      stage.send(1, 2, 3);
      calls.get(3)?.resolve("c");
      calls.get(2)?.resolve("b");
      await settle();
      assert.deepEqual(stage.values(), []);
      calls.get(1)?.resolve("a");
      await stage.finish();
      assert.deepEqual(stage.values(), ["a", "b", "c"]);
    });

    it("never has more calls under way than `concurrency`, and is blocked meanwhile", async () => {
      const { calls, fn, started } = byHand<number>();
      const stage = await StageDriver.open((input: Numbers) => input.apply(map(fn, { concurrency: 2 })));
      stage.send(1);
      assert.equal(stage.blocked(), undefined);
      stage.send(2);
      const blocked = stage.blocked();
      assert.ok(blocked !== undefined);
      stage.send(3);
      assert.deepEqual(started(), [1, 2]);
      calls.get(2)?.resolve(2);
      await settle();
      assert.deepEqual(started(), [1, 2], "the second call is not delivered before the first");
      calls.get(1)?.resolve(1);
      await blocked;
      assert.deepEqual(started(), [1, 2, 3]);
      calls.get(3)?.resolve(3);
      await stage.finish();
      assert.deepEqual(stage.values(), [1, 2, 3]);
      assert.equal(stage.blocked(), undefined);
    });

    it("takes synchronous results behind promises in their turn", async () => {
      const first = new Deferred<number>();
      const stage = await StageDriver.open((input: Numbers) => input.apply(map((n) => (n === 1 ? first.promise : n))));
      stage.send(1, 2, 3);
      assert.deepEqual(stage.values(), []);
      first.resolve(1);
      await stage.finish();
      assert.deepEqual(stage.values(), [1, 2, 3]);
      stage.send(4);
      assert.deepEqual(stage.values(), [1, 2, 3, 4], "and is synchronous again");
    });

    it("shows each call its own context, also after it has waited", async () => {
      const gate = new Deferred<void>();
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          map(async (n, context) => {
            await gate.promise;
            return [n, context.timestamp];
          }),
        ),
      );
      stage.sendAt("a", at(1));
      stage.sendAt("b", at(2));
      gate.resolve();
      await stage.finish();
      assert.deepEqual(stage.values(), [
        ["a", 1],
        ["b", 2],
      ]);
    });

    it("filters by what promises resolve to, exactly `true`", async () => {
      const answers: Record<number, unknown> = { 1: true, 2: false, 3: true, 4: undefined };
      const found = await runBundle((input: Numbers) => input.apply(filter(async (n) => answers[n] as boolean)), [1, 2, 3, 4]);
      assert.deepEqual(found, [1, 3]);
    });

    it("flattens what promises resolve to", async () => {
      assert.deepEqual(await runBundle((input: Numbers) => input.apply(flatMap(async (n) => [n, n])), [1, 2]), [1, 1, 2, 2]);
    });

    it("passes many waiting elements on in order", async () => {
      const elements = Array.from({ length: 5000 }, (_, i) => i);
      assert.deepEqual(await runBundle((input: Numbers) => input.apply(map(async (n) => n, { concurrency: 3 })), elements), elements);
    });

    it("fails the bundle when a promise is rejected; nothing is delivered later, and no rejection is lost", async () => {
      const lost: unknown[] = [];
      const note = (error: unknown): void => void lost.push(error);
      process.on("unhandledRejection", note);
      try {
        const { calls, fn } = byHand<number>();
        const stage = await StageDriver.open((input: Numbers) => input.apply(map("look up", fn, { concurrency: 2 })));
        stage.send(1, 2, 3);
        const blocked = stage.blocked();
        const finished = stage.finish();
        calls.get(2)?.reject(new Error("refused"));
        const expected = userError(/rejected its promise in transform "look up": refused/, "2");
        await assert.rejects(async () => await blocked, expected);
        await assert.rejects(async () => await finished, expected);
        await assert.rejects(async () => await stage.blocked(), expected);
        calls.get(1)?.reject(new Error("too late"));
        stage.send(4);
        await settle();
        assert.deepEqual(calls.size, 2, "no further call was made");
        assert.deepEqual(stage.values(), []);
        stage.abort();
        await stage.close();
        await settle();
        assert.deepEqual(lost, []);
      } finally {
        process.off("unhandledRejection", note);
      }
    });

    it("fails the bundle when a function throws for an element that waited", async () => {
      const first = new Deferred<number>();
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          map(
            (n) => {
              if (n === 2) throw new Error("two");
              return first.promise;
            },
            { concurrency: 1 },
          ),
        ),
      );
      stage.send(1, 2);
      const finished = stage.finish();
      first.resolve(1);
      await assert.rejects(async () => await finished, userError(/two/, "2"));
    });

    it("delivers nothing after `abort`", async () => {
      const { calls, fn } = byHand<number>();
      const stage = await StageDriver.open((input: Numbers) => input.apply(map(fn)));
      stage.send(1);
      const finished = stage.finish();
      stage.abort();
      await assert.rejects(async () => await finished, /aborted/);
      calls.get(1)?.resolve(1);
      await settle();
      assert.deepEqual(stage.values(), []);
    });

    it("waits for calls of several transforms, from the first to the last", async () => {
      const a = byHand<number>();
      const b = byHand<number>();
      const stage = await StageDriver.open((input: Numbers) => input.apply(map(a.fn)).apply(map(b.fn)));
      stage.send(1);
      const finished = stage.finish();
      assert.ok(finished !== undefined);
      a.calls.get(1)?.resolve(10);
      await settle();
      b.calls.get(10)?.resolve(100);
      await finished;
      assert.deepEqual(stage.values(), [100]);
    });
  });

  context("with long outputs", () => {
    const long = Array.from({ length: 1000 }, (_, i) => i);
    const forms: Record<string, () => Iterable<number> | AsyncIterable<number>> = {
      "an array": () => long,
      "a generator": function* () {
        yield* long;
      },
      "an async generator": async function* () {
        yield* long;
      },
    };
    for (const [name, make] of Object.entries(forms)) {
      it(`pauses in ${name} while outputs are full, and goes on where it was`, async () => {
        const stage = await StageDriver.open((input: Numbers) => input.apply(flatMap((n) => (n === 0 ? make() : [n]))));
        stage.paused = true;
        stage.send(0);
        await settle();
        const before = stage.values().length;
        assert.ok(before < 1000 && before > 0, `${before} elements before the pause`);
        stage.send(7);
        assert.ok(stage.blocked() !== undefined);
        const finished = stage.finish();
        await settle();
        assert.equal(stage.values().length, before);
        stage.unpause();
        await finished;
        assert.deepEqual(stage.values(), [...long, 7]);
        assert.equal(stage.blocked(), undefined);
      });

      it(`ends ${name} when the bundle is aborted in a pause`, async () => {
        const stage = await StageDriver.open((input: Numbers) => input.apply(flatMap(make)));
        stage.paused = true;
        stage.send(0);
        await settle();
        const before = stage.values().length;
        stage.abort();
        stage.unpause();
        await settle();
        assert.equal(stage.values().length, before);
      });
    }

    it("takes no more of a generator than the transforms behind it can take", async () => {
      const { calls, fn } = byHand<number>();
      let taken = 0;
      const stage = await StageDriver.open((input: Numbers) =>
        input
          .apply(
            flatMap(async function* () {
              for (const n of long) {
                taken++;
                yield n;
              }
            }),
          )
          .apply(map(fn, { concurrency: 2 })),
      );
      stage.send(0);
      const finished = stage.finish();
      await settle();
      assert.ok(taken <= 3, `took ${taken}`);
      for (let n = 0; n < 1000; n++) {
        if (!calls.has(n)) await settle();
        calls.get(n)?.resolve(n);
      }
      await finished;
      assert.deepEqual(stage.values(), long);
    });

    it("runs a generator's `finally` when something behind it fails or the bundle is aborted", async () => {
      for (const end of ["failure", "abort"]) {
        const ended: string[] = [];
        const stage = await StageDriver.open((input: Numbers) =>
          input
            .apply(
              flatMap(async function* () {
                try {
                  for (;;) yield 1;
                } finally {
                  ended.push(end);
                }
              }),
            )
            .apply(
              map((n) => {
                if (end === "failure") throw new Error("behind");
                return n;
              }),
            ),
        );
        stage.paused = true;
        stage.send(0);
        await settle();
        if (end === "abort") stage.abort();
        stage.unpause();
        await settle();
        assert.deepEqual(ended, [end]);
      }
    });

    it("reports an async generator that throws", async () => {
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          flatMap(async function* (n) {
            yield n;
            throw new Error("midway");
          }),
        ),
      );
      stage.send(1);
      await assert.rejects(async () => await stage.finish(), userError(/its async iterator threw.*midway/, undefined));
      assert.deepEqual(stage.values(), [1]);
    });
  });

  context("with timestamps and windows", () => {
    it("moves elements in time and puts them into windows", async () => {
      const stage = await StageDriver.open((input: Numbers) =>
        input
          .apply(withTimestamps((n) => n + 0.5, { allowedSkewMs: 1 }))
          .apply(windowInto(fixed(10)))
          .apply(map((n, { timestamp, window }) => [n, timestamp, renderWindow(window)])),
      );
      stage.send(5, -1, 10);
      // The millisecond that half a millisecond before zero lies in is the one before zero.
      assert.deepEqual(stage.values(), [
        [5, 5, "[0, 10)"],
        [-1, -1, "[-10, 0)"],
        [10, 10, "[10, 20)"],
      ]);
    });

    for (const bad of [NaN, Infinity, 1e300, "5", undefined])
      it(`refuses ${String(bad)} (${typeof bad}) as a timestamp`, async () => {
        const stage = await StageDriver.open((input: Numbers) => input.apply(withTimestamps(() => bad as number)));
        assert.throws(() => stage.send(1), userError(/a timestamp must be a number of milliseconds/));
      });
  });
});
