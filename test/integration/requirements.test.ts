// What transforms require of their input: the same whenever it comes again, by time, and what order there is anyway.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  bag,
  combining,
  create,
  eventTimer,
  fixed,
  flatMap,
  global,
  kv,
  map,
  minutes,
  output,
  parDo,
  pipeline,
  seconds,
  sliding,
  statefulParDo,
  sumFn,
  value,
  windowInto,
  withFailures,
  withKeys,
  withTimestamps,
  type KV,
  type PCollection,
  type WindowOptions,
} from "../../sdk/index.js";
import { run } from "beamstorm";
import { describeTopology, local } from "beamstorm/local";
import { runPipeline, testStream, type TestStream } from "../../local/testing.js";
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";
import { bundleProgram, type BundledProgram } from "../../local/bundle-program.js";
import type * as Fixture from "./fixtures/ordered.js";

describe("requiresTimeSortedInput", () => {
  /** The order in which elements come, of one key, and what else is told. */
  async function sorted(
    script: TestStream<number>,
    windowing: readonly [ReturnType<typeof fixed>, WindowOptions?] = [global()],
    options: Parameters<typeof runPipeline>[1] = {},
  ): Promise<readonly string[]> {
    return await runPipeline(
      (p) =>
        p
          .apply(script)
          .apply(windowInto(...windowing))
          .apply(withKeys(() => "key"))
          .apply(
            statefulParDo({
              requiresTimeSortedInput: true,
              timers: { later: eventTimer() },
              outputs: output<string>(),
              process({ value: n }, { timestamp, timers, emit }) {
                timers.later.set(timestamp + 3);
                emit(`${n}`);
              },
              onTimer: { later: ({ fireAt }, { emit }) => emit(`timer ${fireAt}`) },
            }),
          ),
      options,
    );
  }

  it("gives elements by their timestamps, those of one timestamp as they came, with timers among them", async () => {
    const script = testStream<number>().at(30, 30).at(10, 10).at(20, 201).at(20, 202).watermark(25).at(26, 26).at(25, 25);
    assert.deepEqual(await sorted(script), ["10", "timer 13", "201", "202", "timer 23", "25", "26", "timer 29", "30", "timer 33"]);
  });

  it("gives them when the watermark has reached them, not at the end", async () => {
    const log: string[] = [];
    await runPipeline((p) =>
      p
        .apply(testStream<number>().at(20, 20).at(10, 10).watermark(10).at(30, 30).watermark(40).at(50, 50))
        .apply(map((n) => (log.push(`read ${n}`), n)))
        .apply(withKeys(() => "key"))
        .apply(
          statefulParDo({
            requiresTimeSortedInput: true,
            state: { seen: bag<number>() },
            outputs: output<number>(),
            process: ({ value: n }) => void log.push(`${n}`),
          }),
        ),
    );
    assert.deepEqual(log, ["read 20", "read 10", "10", "read 30", "20", "30", "read 50", "50"]);
  });

  it("waits for the allowed lateness, so that what is late within it has its place; what is later is dropped", async () => {
    const script = testStream<number>()
      .at(seconds(20), 20)
      .watermark(seconds(25))
      .late(seconds(10), 10)
      .watermark(seconds(30))
      .at(seconds(40), 40)
      .watermark(seconds(45))
      .late(seconds(24), 24)
      .late(seconds(36), 36);
    assert.deepEqual(
      (await sorted(script, [global(), { allowedLatenessMs: seconds(20) }])).filter((each) => !each.startsWith("timer")),
      ["10", "20", "36", "40"],
    );
  });

  it("is by window: each has its own order, and expires behind its last element", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(testStream<number>().at(15, 15).at(5, 5).at(12, 12).at(8, 8).watermark(100).late(7, 7))
        .apply(windowInto(sliding({ size: 10, every: 5 })))
        .apply(withKeys(() => "key"))
        .apply(
          statefulParDo({
            requiresTimeSortedInput: true,
            state: { seen: value<string>() },
            outputs: output<string>(),
            process: ({ value: n }, { state }) => state.seen.write(`${state.seen.read() ?? ""} ${n}`),
            onWindowExpiration: (_expired, { state, window, emit }) => emit(`${window.maxTimestamp + 1}:${state.seen.read()}`),
          }),
        ),
    );
    assert.deepEqual(found, ["10: 5 8", "15: 5 8 12", "20: 12 15", "25: 15"]);
  });

  it("counts what is dropped", async () => {
    const definition = pipeline((p) => {
      p.apply(testStream<number>().at(20, 20).watermark(25).late(10, 10).late(26, 26))
        .apply(withKeys(() => "key"))
        .apply(
          statefulParDo({
            requiresTimeSortedInput: true,
            state: { sum: combining(sumFn) },
            outputs: output<number>(),
            process: ({ value: n }, { state }) => state.sum.add(n),
          }),
        );
    });
    const { components } = await run(definition, {}, local());
    assert.equal(
      components.reduce((sum, { droppedLate }) => sum + droppedLate, 0),
      1,
    );
  });

  it("holds its output back: what is behind is on time for what follows", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(testStream<number>().at(1, 1).at(0, 0).watermark(minutes(1)).at(minutes(1), 60))
        .apply(windowInto(global(), { allowedLatenessMs: minutes(5) }))
        .apply(withKeys(() => "key"))
        .apply(
          statefulParDo({
            requiresTimeSortedInput: true,
            state: { sum: combining(sumFn) },
            outputs: output<number>(),
            process: ({ value: n }) => [n],
          }),
        )
        .apply(windowInto(fixed(minutes(1))))
        .apply(withKeys(() => "all"))
        .apply(
          statefulParDo({
            state: { all: bag<number>() },
            outputs: output<string>(),
            process: ({ value: n }, { state }) => state.all.add(n),
            onWindowExpiration: (_expired, { state, emit }) => emit([...state.all.read()].join()),
          }),
        ),
    );
    assert.deepEqual(found, ["0,1", "60"]);
  });

  it("stays so when bundles fail, whatever takes turns", async () => {
    for (let shuffleSeed = 0; shuffleSeed < 20; shuffleSeed++) {
      let left = 3;
      const order = new Map<string, number[]>();
      await runPipeline(
        (p) =>
          p
            .apply(create(Array.from({ length: 60 }, (_, i) => (i * 37) % 60)))
            .apply(withTimestamps((n) => n))
            .apply(withKeys((n) => `key ${n % 3}`))
            .apply(
              statefulParDo({
                requiresTimeSortedInput: true,
                state: { last: value<number>() },
                outputs: output<KV<string, number>>(),
                process({ key, value: n }, { state, emit }) {
                  if (n % 7 === 3 && left-- > 0) throw new Error("no");
                  assert.ok((state.last.read() ?? -1) < n);
                  state.last.write(n);
                  emit(kv(key, n));
                },
              }),
            )
            .apply(map(({ key, value: n }) => void order.set(key, [...(order.get(key) ?? []).filter((each) => each !== n), n]))),
        { shuffleSeed, runtime: { bundleElements: 7, retryDelayMs: 0 } },
      );
      for (const [key, numbers] of order) {
        assert.equal(numbers.length, 20, key);
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
      }
    }
  });

  it("is written as Beam's requirement", () => {
    const definition = pipeline((p) => {
      p.apply(create([kv("a", 1)])).apply(
        statefulParDo({
          requiresTimeSortedInput: true,
          requiresStableInput: true,
          state: { sum: combining(sumFn) },
          outputs: output<number>(),
          process: () => undefined,
        }),
      );
    });
    const { requirements } = translatePipeline(definition.build({}));
    assert.deepEqual(
      new Set(requirements),
      new Set([
        "beam:requirement:pardo:stateful:v1",
        "beam:requirement:pardo:time_sorted_input:v1",
        "beam:requirement:pardo:stable_input:v1",
      ]),
    );
  });
});

describe("requiresStableInput", () => {
  /** What a function that fails at first sees in each attempt of what another one makes up. */
  async function attempts(requiresStableInput: boolean): Promise<readonly number[]> {
    const seen: number[] = [];
    await runPipeline((p) =>
      p
        .apply(create([1]))
        .apply(map("random", () => Math.random()))
        .apply(
          parDo("act", {
            requiresStableInput,
            outputs: output<number>(),
            process(n: number) {
              if (seen.push(n) < 3) throw new Error("no");
            },
          }),
        ),
    );
    assert.equal(seen.length, 3);
    return seen;
  }

  it("gives the same elements when they come again", async () => {
    assert.equal(new Set(await attempts(true)).size, 1);
    assert.equal(new Set(await attempts(false)).size, 3, "so that this test tells something");
  });

  it("costs a hop only where another function makes the elements, and is kept by withFailures", () => {
    const text = (build: (numbers: PCollection<number>) => void): string => describeTopology(pipeline((p) => build(p.apply(create([1])))));
    const act = parDo("act", { requiresStableInput: true, outputs: output<number>(), process: (n: number) => [n] });
    const plain = parDo("act", { outputs: output<number>(), process: (n: number) => [n] });
    const made = (numbers: PCollection<number>): PCollection<number> => numbers.apply(map("make", (n) => n));
    const bolts = (found: string): number => [...found.matchAll(/^bolt-/gm)].length;
    assert.equal(bolts(text((numbers) => void made(numbers).apply(act))) - bolts(text((numbers) => void made(numbers).apply(plain))), 1);
    assert.equal(
      bolts(text((numbers) => void made(numbers).apply(withFailures(act)))),
      bolts(text((numbers) => void made(numbers).apply(act))),
    );
  });
});

describe("the order of a key's elements", () => {
  let program: BundledProgram;
  let ordered: typeof Fixture.ordered;
  before(async () => {
    program = await bundleProgram(fileURLToPath(new URL("./fixtures/ordered.ts", import.meta.url)));
    ({ ordered } = (await import(program.module)) as typeof Fixture);
  });
  after(() => program.dispose());

  for (const workers of [1, 3])
    it(`is kept from one task to the next, with ${workers} worker${workers > 1 ? "s" : ""}, few credits, and bundles that fail`, async () => {
      const runtime = { channelBytes: 256, batchBytes: 64, bundleElements: 5, retryDelayMs: 0 };
      await run(ordered, {}, local({ workers, module: program.module, exportName: "ordered", runtime }));
    });

  it("is kept whatever takes turns", async () => {
    for (let shuffleSeed = 0; shuffleSeed < 10; shuffleSeed++) {
      const found = await runPipeline(
        (p) =>
          p
            .apply(create([0, 1, 2]))
            .apply(
              flatMap(function* (part) {
                for (let i = 0; i < 30; i++) yield kv(`key ${i % 4}`, [part, i] as const);
              }),
            )
            .apply(
              statefulParDo({
                state: { last: value<Record<number, number>>() },
                outputs: output<string>(),
                process({ key, value: [part, i] }, { state, emit }) {
                  const last = state.last.read() ?? {};
                  if (!(i > (last[part] ?? -1))) emit(`${key}: ${i} behind ${last[part]}`);
                  state.last.write({ ...last, [part]: i });
                },
              }),
            ),
        { shuffleSeed, runtime: { channelBytes: 64, batchBytes: 16 } },
      );
      assert.deepEqual(found, []);
    }
  });
});
