// Dead-letter outputs. Catches outputs of failed calls that are seen, failures further on that are taken for the function's own,
// failures outside of their element's window, and functions that behave otherwise than without withFailures.
import assert from "node:assert/strict";
import { local } from "../../../../local/index.js";
import { varintCoder } from "../../../../portability/coders/index.js";
import { PipelineError, UserCodeError } from "../../../../portability/stage-host/index.js";
import {
  asSingleton,
  create,
  countGlobally,
  filter,
  fixed,
  flatMap,
  IntervalWindow,
  map,
  output,
  parDo,
  pipeline,
  run,
  windowInto,
  withCoder,
  withFailures,
  withTimestamps,
  type Failure,
  type PCollection,
  type PTransform,
} from "../../../../sdk/index.js";

interface Outcome {
  readonly outputs: unknown[];
  readonly failures: string[];
}

/** What becomes of numbers. */
async function outcomeOf(
  numbers: readonly number[],
  transform: PTransform<PCollection<number>, PCollection<unknown>>,
  attempts?: number,
): Promise<Outcome> {
  const outcome: Outcome = { outputs: [], failures: [] };
  const built = pipeline((p) => {
    const { output: good, failures } = p
      .apply(create([...numbers]))
      .apply(withFailures(transform, attempts === undefined ? {} : { attempts }));
    good.apply(map("good", (value) => void outcome.outputs.push(value)));
    failures.apply(map("failed", ({ element, error }) => void outcome.failures.push(`${element}: ${error.message}`)));
  });
  await run(built, {}, local());
  return outcome;
}

const noThree = (n: number): number => {
  if (n === 3) throw new Error("no three");
  return n;
};
const later = async (n: number): Promise<number> => {
  await Promise.resolve();
  return noThree(n);
};

describe("withFailures", () => {
  const expected = { outputs: [1, 2, 4], failures: ["3: no three"] };
  const transforms: Record<string, PTransform<PCollection<number>, PCollection<unknown>>> = {
    map: map(noThree),
    "map with promises": map(later),
    filter: filter((n: number) => noThree(n) > 0),
    "filter with promises": filter(async (n: number) => (await later(n)) > 0),
    flatMap: flatMap((n: number) => [noThree(n)]),
    withTimestamps: withTimestamps((n: number) => noThree(n)),
    parDo: parDo({ process: (n: number, { emit }: { emit(n: number): void }) => emit(noThree(n)) }),
    "parDo that returns": parDo({ process: (n: number) => [noThree(n)] }),
  };
  for (const [name, transform] of Object.entries(transforms))
    it(`puts elements that fail into an output of their own: ${name}`, async () => {
      assert.deepEqual(await outcomeOf([1, 2, 3, 4], transform), expected);
    });

  it("shows nothing of a failed call, however far it came", async () => {
    const partly = {
      generator: flatMap(function* (n: number) {
        yield n;
        noThree(n);
      }),
      "async generator": flatMap(async function* (n: number) {
        yield await later(1).then(() => n);
        noThree(n);
      }),
      emit: parDo({
        async process(n: number, { emit }: { emit(n: number): void }) {
          emit(n);
          await later(n);
        },
      }),
    };
    for (const transform of Object.values(partly)) assert.deepEqual(await outcomeOf([1, 2, 3, 4], transform), expected);
  });

  it("tries an element as often as it is told", async () => {
    let calls = 0;
    const flaky = map((n: number) => {
      if (++calls < 3) throw new Error(`call ${calls}`);
      return n;
    });
    assert.deepEqual(await outcomeOf([7], flaky, 2), { outputs: [], failures: ["7: call 2"] });
    calls = 0;
    assert.deepEqual(await outcomeOf([7], flaky, 3), { outputs: [7], failures: [] });
  });

  it("leaves a failure further on to the run", async () => {
    const built = pipeline((p) => {
      const { output: good } = p.apply(create([1])).apply(withFailures(map((n: number) => n)));
      good.apply(
        map("next", () => {
          throw new Error("further on");
        }),
      );
    });
    await assert.rejects(run(built, {}, local()), (error) => error instanceof UserCodeError && error.site.transform === "next");
  });

  it("keeps outputs by tag, the lifecycle and side inputs", async () => {
    const seen: unknown[] = [];
    const built = pipeline((p) => {
      const limit = asSingleton(p.apply(create("limit", [3])));
      const { output: outputs, failures } = p.apply(create([1, 2, 3, 4])).apply(
        withFailures(
          parDo("split", {
            outputs: { low: output<number>(), high: output<string>() },
            with: { limit },
            setup: () => ({ bundles: 0 }),
            finishBundle: ({ local: own, emit }) => emit.high(`bundle ${++own.bundles}`),
            process(n: number, { emit, limit: most }) {
              if (n === most) throw new Error("at the limit");
              if (n < most) emit.low(n);
              else emit.high(String(n));
            },
          }),
        ),
      );
      outputs.low.apply(map("low", (n) => void seen.push(n)));
      outputs.high.apply(map("high", (text) => void seen.push(text)));
      failures.apply(map("failed", ({ element }) => void seen.push({ failed: element })));
    });
    await run(built, {}, local());
    const isOfBundle = (value: unknown): boolean => typeof value === "string" && value.startsWith("bundle");
    assert.deepEqual(
      seen.filter((value) => !isOfBundle(value)),
      [1, 2, { failed: 3 }, "4"],
    );
    assert.ok(seen.some(isOfBundle));
  });

  it("leaves a failure in the window and at the timestamp of its element, in its element's coder", async () => {
    const found: Failure<number>[] = [];
    const counts: unknown[] = [];
    const built = pipeline((p) => {
      const { failures } = p
        .apply(create([1, 12, 13]))
        .apply(withCoder(varintCoder))
        .apply(withTimestamps((n) => n))
        .apply(windowInto(fixed(10)))
        .apply(withFailures(map(() => assert.fail("no"))));
      failures.apply(map((failure) => void found.push(failure)));
      failures.apply(countGlobally()).apply(map("count", (count, { window }) => void counts.push([count, String(window)])));
    });
    await run(built, {}, local());
    assert.deepEqual(
      found.map(({ element, timestamp, window, error }) => [element, timestamp, window, error.name]),
      [
        [1, 1, new IntervalWindow(0, 10), "AssertionError"],
        [12, 12, new IntervalWindow(10, 20), "AssertionError"],
        [13, 13, new IntervalWindow(10, 20), "AssertionError"],
      ],
    );
    assert.deepEqual(counts, [
      [1, "[0, 10)"],
      [2, "[10, 20)"],
    ]);
  });

  it("refuses transforms that are more than a function", () => {
    assert.throws(
      () => withFailures(countGlobally()),
      (error) => error instanceof PipelineError && error.code === "not_one_function",
    );
    assert.throws(() => withFailures(map(noThree), { attempts: 0 }), RangeError);
  });
});
