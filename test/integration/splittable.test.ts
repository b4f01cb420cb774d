// Splittable ParDos from one end to the other, with time that goes on by itself or by a script.
import assert from "node:assert/strict";
import {
  asSingleton,
  countGlobally,
  create,
  fixed,
  groupByKey,
  kv,
  manualWatermark,
  map,
  monotonicWatermark,
  offsetRange,
  offsetRangeTracker,
  output,
  pipeline,
  reifyTimestamps,
  reshuffle,
  seconds,
  sliding,
  splittableParDo,
  UserCodeError,
  wallTimeWatermark,
  windowInto,
  withTimestamps,
  type ManualWatermark,
  type OffsetRange,
} from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { runPipeline, testStream } from "../../local/testing.js";

const numbersUpTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sorted = (elements: readonly unknown[]): unknown[] => [...elements].sort((a, b) => String(a).localeCompare(String(b)));

describe("splittableParDo", () => {
  it("does the work of each element once, however small bundles are", async () => {
    for (const bundleElements of [1, 3, 16_384]) {
      const found = await runPipeline(
        (p) =>
          p.apply(create([5, 0, 3])).apply(
            splittableParDo({
              restriction: (n: number) => offsetRange(0, n),
              *process(n, { range }) {
                for (let i = range.start; range.tryClaim(i); i++) yield `${i} of ${n}`;
              },
            }),
          ),
        { runtime: { bundleElements } },
      );
      assert.deepEqual(sorted(found), ["0 of 3", "0 of 5", "1 of 3", "1 of 5", "2 of 3", "2 of 5", "3 of 5", "4 of 5"]);
    }
  });

  it("goes on after the delay that it asks for, by the clock of the run", async () => {
    const found = await runPipeline(
      (p) =>
        p.apply(create(["poll"])).apply(
          splittableParDo({
            outputs: output<string>(),
            restriction: () => offsetRange(0, 4),
            async process(name: string, { range, now, emit, resume }) {
              await Promise.resolve();
              if (!range.tryClaim(range.start)) return;
              emit(`${name} ${range.restriction.start} at ${now()}`);
              return resume(seconds(90));
            },
          }),
        ),
      { virtualTime: true },
    );
    assert.deepEqual(
      found,
      [0, 1, 2, 3].map((i) => `poll ${i} at ${i * seconds(90)}`),
    );
  });

  it("has a range without an end, which the end of the input does not end", async () => {
    let available = 0;
    const found = await runPipeline(
      (p) =>
        p.apply(create(["log"])).apply(
          splittableParDo({
            unbounded: true,
            restriction: () => offsetRange(0),
            tracker: (range) => offsetRangeTracker(range, () => available),
            *process(_, { range, resume }) {
              available = Math.min(7, available + 2);
              let offset = range.start;
              for (; offset < available; offset++) {
                if (!range.tryClaim(offset)) return;
                yield offset;
              }
              if (available < 7) resume(10);
              else range.tryClaim(Infinity); // the log has ended
            },
          }),
        ),
      { virtualTime: true, runtime: { bundleElements: 3 } },
    );
    assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6]);
  });

  describe("holds the watermark", () => {
    /** What windows of ten seconds have, in the order in which they are complete, when the input says at once that it is at 100 s. */
    const windowsOf = (estimated: "manual" | "monotonic" | "none") =>
      runPipeline((p) =>
        p
          .apply(testStream<number>().at(0, 5).watermark(seconds(100)).advanceProcessingTime(1000).advanceProcessingTime(60_000).end())
          .apply(
            splittableParDo("steps", {
              outputs: output<number>(),
              restriction: (n: number) => offsetRange(0, n),
              ...(estimated === "none" ? {} : { watermark: estimated === "manual" ? manualWatermark() : monotonicWatermark() }),
              process(_, { range, emit, resume, watermark }) {
                if (!range.tryClaim(range.start)) return;
                const at = seconds(8 * range.start);
                emit(range.start, at);
                if (estimated === "manual") (watermark as unknown as ManualWatermark).set(at);
                return resume(seconds(1));
              },
            }),
          )
          .apply(windowInto(fixed(seconds(10))))
          .apply(map((n, { timestamp }) => kv("key", `${n}@${timestamp}`)))
          .apply(groupByKey())
          .apply(map(({ value }, { window }) => `${[...value].sort().join()} until ${window.maxTimestamp + 1}`)),
      );

    for (const how of ["manual", "monotonic", "none"] as const)
      it(`where it is estimated: ${how}`, async () => {
        assert.deepEqual(sorted(await windowsOf(how)), [
          "0@0,1@8000 until 10000",
          "2@16000 until 20000",
          "3@24000 until 30000",
          "4@32000 until 40000",
        ]);
      });
  });

  it("dates what it puts out by the clock, where its watermark is that", async () => {
    const found = await runPipeline(
      (p) =>
        p
          .apply(create([2]))
          .apply(
            splittableParDo({
              outputs: output<number>(),
              restriction: (n: number) => offsetRange(0, n),
              watermark: wallTimeWatermark(),
              process(_, { range, emit, resume, now, watermark }) {
                if (!range.tryClaim(range.start)) return;
                assert.equal(watermark.current(), now());
                emit(range.start, now());
                return resume(10);
              },
            }),
          )
          .apply(reifyTimestamps()),
      { virtualTime: true },
    );
    assert.deepEqual(
      found.map(({ value, timestamp }) => [value, timestamp]),
      [
        [0, 0],
        [1, 10],
      ],
    );
  });

  it("has side inputs in all of its functions, of the window of its element", async () => {
    const found = await runPipeline((p) => {
      const limits = p
        .apply(create("limits", [2, 3]))
        .apply(withTimestamps((n) => (n === 2 ? 0 : 10)))
        .apply(windowInto("limits by window", fixed(10)));
      return p
        .apply(create("elements", [0, 10]))
        .apply(withTimestamps((n) => n))
        .apply(windowInto("elements by window", fixed(10)))
        .apply(
          splittableParDo({
            with: { limit: asSingleton(limits) },
            restriction: (_: number, { limit }) => offsetRange(0, limit),
            split: (_, range, { limit }) => {
              assert.equal(range.end, limit);
              return [offsetRange(0, 1), offsetRange(1, limit)];
            },
            *process(element, { range, limit, resume }) {
              if (!range.tryClaim(range.start)) return;
              yield `${range.start} of ${limit} at ${element}`;
              resume(1);
            },
          }),
        );
    });
    assert.deepEqual(sorted(found), ["0 of 2 at 0", "0 of 3 at 10", "1 of 2 at 0", "1 of 3 at 10", "2 of 3 at 10"]);
  });

  it("has the side inputs of an element as long as its work goes on, however far its watermark is", async () => {
    const found = await runPipeline((p) => {
      const windows = fixed(10);
      const factor = p
        .apply(create("factor", [3]))
        .apply(withTimestamps(() => 0))
        .apply(windowInto("factor by window", windows));
      return p
        .apply(testStream<number>().at(0, 4).watermark(seconds(50)).advanceProcessingTime(1).watermark(seconds(100)).end())
        .apply(windowInto("elements by window", windows))
        .apply(
          splittableParDo({
            outputs: output<number>(),
            with: { factor: asSingleton(factor) },
            restriction: (n: number) => offsetRange(0, n),
            watermark: manualWatermark(),
            process(_, { range, factor: times, emit, watermark, resume }) {
              if (!range.tryClaim(range.start)) return;
              emit(range.start * times);
              watermark.set(seconds(1000));
              return resume(1);
            },
          }),
        );
    });
    assert.deepEqual(found, [0, 3, 6, 9]);
  });

  it("does the work of an element once for each of its windows", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(create([0]))
        .apply(withTimestamps(() => 10))
        .apply(windowInto(sliding({ size: 20, every: 10 })))
        .apply(
          splittableParDo({
            restriction: () => offsetRange(0, 2),
            *process(_, { range, window }) {
              for (let i = range.start; range.tryClaim(i); i++) yield `${i} until ${window.maxTimestamp + 1}`;
            },
          }),
        ),
    );
    assert.deepEqual(sorted(found), ["0 until 20", "0 until 30", "1 until 20", "1 until 30"]);
  });

  it("has tagged outputs, and functions to set up", async () => {
    const { even, odd } = await runPipeline((p) =>
      p.apply(create([4])).apply(
        splittableParDo("sort", {
          outputs: { even: output<number>(), odd: output<string>() },
          setup: () => "n =",
          restriction: (n: number) => offsetRange(0, n),
          process(_, { range, emit, local }) {
            for (let i = range.start; range.tryClaim(i); i++)
              if (i % 2 === 0) emit.even(i);
              else emit.odd(`${local} ${i}`);
          },
        }),
      ),
    );
    assert.deepEqual(
      [sorted(even), sorted(odd)],
      [
        [0, 2],
        ["n = 1", "n = 3"],
      ],
    );
  });

  it("may follow another one, and read beside it", async () => {
    const count = (name: string) =>
      splittableParDo(name, {
        restriction: (n: number) => offsetRange(0, n),
        *process(_, { range }) {
          for (let i = range.start; range.tryClaim(i); i++) yield i;
        },
      });
    const { twice, beside } = await runPipeline((p) => {
      const numbers = p.apply(create([3]));
      const once = numbers.apply(count("once"));
      return { twice: once.apply(count("twice")), beside: once.apply(map((n) => n - 10)) };
    });
    assert.deepEqual(
      [sorted(twice), sorted(beside)],
      [
        [0, 0, 1],
        [-10, -8, -9],
      ],
    );
  });

  it("calls back when what it has put out is committed, and not for what has failed", async () => {
    const acknowledged: number[] = [];
    let failures = 1;
    await runPipeline((p) =>
      p.apply(create([3])).apply(
        splittableParDo({
          finalizes: true,
          restriction: (n: number) => offsetRange(0, n),
          process(_, { range, onCommitted, resume }) {
            const { start } = range;
            if (!range.tryClaim(start)) return;
            onCommitted(() => void acknowledged.push(start), { expireAfterMs: 10_000 });
            if (start === 1 && failures-- > 0) throw new Error("not yet");
            return resume();
          },
        }),
      ),
    );
    assert.deepEqual(acknowledged, [0, 1, 2]);
  });

  describe("fails", () => {
    const failureOf = async (p: Parameters<typeof runPipeline>[0]): Promise<UserCodeError> => {
      const error: unknown = await runPipeline(p, { runtime: { retryDelayMs: 0 } }).then(
        () => undefined,
        (cause: unknown) => cause,
      );
      assert.ok(error instanceof UserCodeError, String(error));
      return error;
    };
    const range = { restriction: (n: number) => offsetRange(0, n) };

    it("with the element whose work fails", async () => {
      const { message, site } = await failureOf((p) =>
        p.apply(create([3, 5])).apply(
          splittableParDo("work", {
            ...range,
            process(n, { range: claimed }) {
              for (let i = claimed.start; claimed.tryClaim(i); i++) if (n === 5 && i === 4) throw new Error("four");
            },
          }),
        ),
      );
      assert.match(message, /failed in transform "work": four \(element 5, window .*, 4 attempts\)/);
      assert.match(site.line ?? "", /splittable\.test\.ts/);
    });

    for (const [what, spec, message] of [
      ["cannot say its restriction", { restriction: () => assert.fail("no size"), process() {} }, /failed in transform "work": no size/],
      ["is divided badly", { ...range, split: () => assert.fail("uneven"), process() {} }, /failed in transform "work": uneven/],
      ["has no size", { ...range, size: () => NaN, process() {} }, /the size of a restriction must be a number of at least 0, not NaN/],
      ["has no tracker", { restriction: () => "all", process() {} }, /needs a `tracker`/],
      ["was left out", { ...range, process() {} }, /positions from 0 up to 3 were not claimed/],
    ] as const)
      it(`where the work ${what}`, async () => {
        assert.match((await failureOf((p) => p.apply(create([3])).apply(splittableParDo("work", spec as never)))).message, message);
      });

    it("where it wants to be called back and has not said so", async () => {
      const { message } = await failureOf((p) =>
        p.apply(create([1])).apply(
          splittableParDo({
            ...range,
            process: (_, { onCommitted }) => onCommitted(() => {}, { expireAfterMs: 1 }),
          }),
        ),
      );
      assert.match(message, /say `finalizes: true`/);
    });
  });

  for (const [what, truncate, expected] of [
    ["ends work without an end", undefined, []],
    ["lets its author say what of it stays", (_: string, range: OffsetRange) => offsetRange(range.start, 1000), [999]],
  ] as const)
    it(`when the job is drained ${what}, and closes windows behind it`, async () => {
      const numbers: number[] = [];
      const sums: number[] = [];
      let begun: () => void;
      const hasBegun = new Promise<void>((resolve) => (begun = resolve));
      const run = await local().start(
        pipeline((p) => {
          const found = p.apply(create(["log"])).apply(
            splittableParDo({
              unbounded: true,
              restriction: () => offsetRange(0),
              ...(truncate === undefined ? {} : { truncate }),
              *process(_, { range, resume }) {
                for (let i = range.start; i < range.start + 3; i++) {
                  if (!range.tryClaim(i)) return;
                  yield i;
                }
                resume(1);
              },
            }),
          );
          found.apply(
            map("seen", (n) => {
              numbers.push(n);
              if (n === 8) begun();
            }),
          );
          found
            .apply(windowInto(fixed(seconds(10))))
            .apply(countGlobally())
            .apply(map("summed", (n) => void sums.push(n)));
        }),
        {},
      );
      await hasBegun;
      assert.ok(run.isUnbounded);
      assert.deepEqual(sums, []);
      await run.drain();
      assert.deepEqual(numbers, numbersUpTo(numbers.length));
      assert.deepEqual(sums, [numbers.length]);
      assert.deepEqual(expected, truncate === undefined ? [] : [numbers.at(-1)]);
    });

  it("takes elements while others never come to an end", async () => {
    const ended = new Set<string>();
    const out = await runPipeline((p) => {
      const names = p.apply(testStream<string>().at(0, "long").advanceProcessingTime(10).at(1, "short").end());
      return names
        .apply(
          splittableParDo({
            outputs: output<string>(),
            unbounded: true,
            restriction: () => offsetRange(0),
            process(name: string, { range, emit, resume }) {
              let i = range.start;
              for (; i < range.start + 100; i++) if (!range.tryClaim(i)) return;
              // The long one waits for the short one, which it would hold up for ever if it had the task for itself.
              if (name === "long" && !ended.has("short")) return resume(1);
              range.tryClaim(Infinity);
              ended.add(name);
              emit(name);
              return undefined;
            },
          }),
        )
        .apply(reshuffle());
    });
    assert.deepEqual(out, ["short", "long"]);
  });
});
