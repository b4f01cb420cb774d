// State and timers through pipelines, by scripts on a virtual clock; in memory, and with all of them on disk between bundles.
import assert from "node:assert/strict";
import { UserCodeError } from "../../portability/stage-host/index.js";
import {
  bag,
  combining,
  countPerElement,
  create,
  eventTimer,
  eventTimers,
  fixed,
  flatten,
  hours,
  kv,
  mapOf,
  multimapOf,
  orderedList,
  processingTimer,
  processingTimers,
  reifyWindows,
  schema,
  sessions,
  set,
  statefulParDo,
  sumFn,
  value,
  windowInto,
  withTimestamps,
  type KV,
  type PCollection,
  type Pipeline,
} from "../../sdk/index.js";
import { runPipeline as runWith, testStream, testStreams } from "../../local/testing.js";

let stateBytes: number;
const runPipeline: typeof runWith = (build, options) => runWith(build, { ...options, runtime: { stateBytes, ...options?.runtime } });

const keyed = (p: Pipeline, pairs: readonly (readonly [string, number])[]) => p.apply(create(pairs.map(([key, n]) => kv(key, n))));

for (const [where, bytes] of [
  ["in memory", 1e9],
  ["on disk", 1],
] as const)
  describe(`${where},`, () => {
    before(() => {
      stateBytes = bytes;
    });

    describe("state", () => {
      it("is there per key: a value, read and written at once", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 1],
            ["b", 10],
            ["a", 2],
            ["a", 3],
            ["b", 20],
          ]).apply(
            statefulParDo({
              state: { sum: value(schema.double) },
              process({ key, value: n }, { state, emit }) {
                const sum = (state.sum.read() ?? 0) + n;
                state.sum.write(sum);
                emit(`${key}${sum}`);
              },
            }),
          ),
        );
        assert.deepEqual(found.map(String).sort(), ["a1", "a3", "a6", "b10", "b30"]);
      });

      it("is there per window", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 1],
            ["a", 11],
            ["a", 2],
          ])
            .apply(withTimestamps(({ value: n }) => n))
            .apply(windowInto(fixed(10)))
            .apply(
              statefulParDo({
                state: { sum: combining(sumFn) },
                process({ value: n }, { state, window, emit }) {
                  state.sum.add(n);
                  emit(`${String(window)} ${state.sum.read()}`);
                },
              }),
            ),
        );
        assert.deepEqual(found.map(String).sort(), ["[0, 10) 1", "[0, 10) 3", "[10, 20) 11"]);
      });

      it("has a cell of each kind", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 3],
            ["a", 1],
            ["a", 3],
            ["b", 7],
          ]).apply(
            statefulParDo({
              state: {
                bag: bag<number>(),
                map: mapOf(schema.string, schema.double),
                multimap: multimapOf(schema.int32, schema.string),
                set: set(schema.int32),
                list: orderedList(schema.string),
                any: value<{ readonly seen: number }>(),
              },
              process({ value: n }, { state, emit }) {
                state.bag.add(n);
                state.map.set(`n${n}`, (state.map.get(`n${n}`) ?? 0) + 1);
                state.multimap.add(n, `x${state.bag.read().length}`);
                state.list.add(n, `n${n}`);
                state.any.write({ seen: (state.any.read()?.seen ?? 0) + 1 });
                emit({
                  bag: [...state.bag.read()],
                  map: Object.fromEntries(state.map.entries()),
                  multimap: [...state.multimap.entries()].map(([key, values]) => `${key}:${values.join("")}`),
                  isNew: state.set.add(n),
                  set: [...state.set.values()],
                  list: state.list.read().map(({ timestamp, value: text }) => `${text}@${timestamp}`),
                  span: state.list.read(2, 4).length,
                  any: state.any.read(),
                });
              },
            }),
          ),
        );
        assert.deepEqual(found.slice(0, 3), [
          { bag: [3], map: { n3: 1 }, multimap: ["3:x1"], isNew: true, set: [3], list: ["n3@3"], span: 1, any: { seen: 1 } },
          {
            bag: [3, 1],
            map: { n3: 1, n1: 1 },
            multimap: ["3:x1", "1:x2"],
            isNew: true,
            set: [3, 1],
            list: ["n1@1", "n3@3"],
            span: 1,
            any: { seen: 2 },
          },
          {
            bag: [3, 1, 3],
            map: { n3: 2, n1: 1 },
            multimap: ["3:x1x3", "1:x2"],
            isNew: false,
            set: [3, 1],
            list: ["n1@1", "n3@3", "n3@3"],
            span: 2,
            any: { seen: 3 },
          },
        ]);
      });

      it("is empty again when it is cleared", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 1],
            ["a", 2],
          ]).apply(
            statefulParDo({
              state: {
                bag: bag<number>(),
                map: mapOf<number, number>(),
                set: set<number>(),
                list: orderedList<number>(),
                sum: combining(sumFn),
              },
              process({ value: n }, { state, emit }) {
                emit([state.bag.read().length, state.map.size, state.set.size, state.list.read().length, state.sum.read()]);
                state.bag.add(n);
                state.map.set(n, n);
                state.set.add(n);
                state.list.add(n, n);
                state.sum.add(n);
                emit([state.bag.read().length, state.map.size, state.set.size, state.list.read().length, state.sum.read()]);
                state.bag.clear();
                state.map.delete(n);
                state.set.clear();
                state.list.clear();
                state.sum.clear();
              },
            }),
          ),
        );
        assert.deepEqual(found, [
          [0, 0, 0, 0, 0],
          [1, 1, 1, 1, 1],
          [0, 0, 0, 0, 0],
          [1, 1, 1, 1, 2],
        ]);
      });

      it("is read page by page where it is large", async () => {
        const found = await runPipeline((p) =>
          keyed(
            p,
            Array.from({ length: 2500 }, (_, i) => ["a", i] as const),
          ).apply(
            statefulParDo({
              state: {
                bag: bag(schema.double, { large: true }),
                set: set(schema.int32, { large: true }),
                map: mapOf(schema.int32, schema.string, { large: true }),
                multimap: multimapOf(schema.int32, schema.double, { large: true }),
                list: orderedList(schema.double, { large: true }),
              },
              async process({ value: n }, { state, emit }) {
                state.bag.add(n);
                state.set.add(n % 1500);
                state.map.set(n, `n${n}`);
                state.multimap.add(n % 2, n);
                state.list.add(2500 - n, n);
                if (n < 2499) return;
                const counts = { bag: 0, set: 0, map: 0, evens: 0, list: [] as number[] };
                for await (const each of state.bag.read()) counts.bag += each >= 0 ? 1 : 0;
                for await (const each of state.set.values()) counts.set += each >= 0 ? 1 : 0;
                for await (const [key, text] of state.map.entries()) counts.map += text === `n${key}` ? 1 : 0;
                for await (const each of state.multimap.get(0)) counts.evens += each % 2 === 0 ? 1 : 0;
                for await (const { value: each } of state.list.read(0, 3)) counts.list.push(each);
                emit({ ...counts, has: [await state.set.has(1499), await state.set.has(1500), await state.map.get(7)] });
              },
            }),
          ),
        );
        assert.deepEqual(found, [{ bag: 2500, set: 1500, map: 2500, evens: 1250, list: [2499, 2498], has: [true, false, "n7"] }]);
      });

      it("is nobody's when the call is over", async () => {
        const escaped = runPipeline((p) =>
          keyed(p, [["a", 1]]).apply(
            statefulParDo("forgetful", {
              state: { sum: value<number>() },
              process(_element, { state }) {
                setImmediate(() => {
                  try {
                    state.sum.read();
                  } catch (error) {
                    message = (error as Error).message;
                  }
                });
              },
            }),
          ),
        );
        let message = "";
        await escaped;
        await new Promise(setImmediate);
        assert.match(message, /await everything that uses them/);
      });

      it("waits for asynchronous calls: no two of a task at a time", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 1],
            ["b", 2],
            ["a", 3],
          ]).apply(
            statefulParDo({
              state: { sum: value<number>() },
              async process({ key, value: n }, { state, emit }) {
                const before = state.sum.read() ?? 0;
                await new Promise(setImmediate);
                state.sum.write(before + n);
                emit(`${key}${before + n}`);
              },
            }),
          ),
        );
        assert.deepEqual(found.map(String).sort(), ["a1", "a4", "b2"]);
      });

      it("is refused where windows merge, keys are not deterministic, or timers and callbacks do not match", () => {
        const refused = (build: (p: PCollection<{ key: string; value: number }>) => unknown): Promise<unknown> =>
          runPipeline((p) => {
            const input = keyed(p, [["a", 1]]);
            build(input as never);
            return input;
          });
        const counting = { state: { n: value<number>() }, process: () => undefined };
        return Promise.all([
          assert.rejects(
            refused((p) => p.apply(windowInto(sessions(10))).apply(statefulParDo(counting) as never)),
            /"statefulParDo" has state or timers, but its input's windows merge/,
          ),
          assert.rejects(
            refused((p) => p.apply(statefulParDo({ ...counting, timers: { t: eventTimer() } } as never) as never)),
            /declares a timer "t" without a callback; add onTimer.t/,
          ),
          assert.rejects(
            refused((p) => p.apply(statefulParDo({ ...counting, onTimer: { t: () => undefined } } as never) as never)),
            /has a callback onTimer.t for a timer that it does not declare/,
          ),
          assert.rejects(
            refused((p) => p.apply(statefulParDo({ process: () => undefined } as never) as never)),
            /declares neither state nor timers; use parDo\(\)/,
          ),
          assert.rejects(
            refused((p) =>
              p.apply(statefulParDo({ ...counting, state: { s: set(schema.map(schema.string, schema.string)) } } as never) as never),
            ),
            /elements of a set have the coder .* not deterministic/,
          ),
        ]);
      });

      it("names what failed: the transform, the callback and the key", () =>
        Promise.all([
          assert.rejects(
            runPipeline((p) =>
              keyed(p, [["a", 1]]).apply(
                statefulParDo("totals", {
                  timers: { t: eventTimer() },
                  process: (_element, { timers }) => timers.t.setToEndOfWindow(),
                  onTimer: {
                    t: () => {
                      throw new Error("no");
                    },
                  },
                }),
              ),
            ),
            /onTimer.t failed in transform "totals": no/,
          ),
          assert.rejects(
            runPipeline((p) =>
              keyed(p, [["a", 1]])
                .apply(windowInto(fixed(10)))
                .apply(
                  statefulParDo("totals", {
                    timers: { t: eventTimer() },
                    process: (_element, { timers }) => timers.t.set(1e12),
                    onTimer: { t: () => undefined },
                  }),
                ),
            ),
            /totals.*a timer cannot fire at 2001-09-09T01:46:40.*its window .* expires/s,
          ),
        ]));
    });

    const script = () => testStream<KV<string, number>>();

    describe("timers of event time", () => {
      it("fire when the watermark has reached them, in the order of their times, whenever they were set", async () => {
        const found = await runPipeline((p) =>
          p
            .apply(
              script().at(0, kv("a", 30), kv("b", 10), kv("c", 20)).watermark(15).at(15, kv("d", 18)).watermark(30).at(30, kv("e", 31)),
            )
            .apply(
              statefulParDo({
                timers: { t: eventTimer() },
                process({ key, value: at }, { timers, emit }) {
                  timers.t.set(at);
                  emit(`set ${key}`);
                },
                onTimer: { t: ({ key, fireAt }, { emit, timestamp }) => emit(`${key} ${fireAt} ${timestamp}`) },
              }),
            ),
        );
        assert.deepEqual(found, ["set a", "set b", "set c", "b 10 10", "set d", "d 18 18", "c 20 20", "a 30 30", "set e", "e 31 31"]);
      });

      it("are replaced by the one that is set last, sooner or later, and cleared", async () => {
        const found = await runPipeline((p) =>
          p
            .apply(script().at(0, kv("a", 10), kv("a", 20), kv("b", 20), kv("b", 10), kv("c", 15), kv("c", -1), kv("d", -1), kv("d", 5)))
            .apply(
              statefulParDo({
                timers: { t: eventTimer() },
                process({ value: at }, { timers }) {
                  if (at < 0) timers.t.clear();
                  else timers.t.set(at);
                },
                onTimer: { t: ({ key, fireAt }, { emit }) => emit(`${key} ${fireAt}`) },
              }),
            ),
        );
        assert.deepEqual(found, ["d 5", "b 10", "a 20"]);
      });

      it("that a callback sets for an earlier time fire before later ones; what it sets for the past fires at once", async () => {
        const found = await runPipeline((p) =>
          p.apply(script().at(0, kv("a", 10), kv("b", 20), kv("c", 30))).apply(
            statefulParDo({
              timers: { t: eventTimer(), again: eventTimer() },
              process: ({ value: at }, { timers }) => timers.t.set(at),
              onTimer: {
                t({ key, fireAt }, { timers, emit }) {
                  emit(`${key} ${fireAt}`);
                  timers.again.set(key === "b" ? 5 : fireAt + 12, { outputTimestamp: "none" });
                },
                again: ({ key, fireAt }, { emit }) => emit(`${key} again ${fireAt}`),
              },
            }),
          ),
        );
        assert.deepEqual(found, ["a 10", "b 20", "b again 5", "a again 22", "c 30", "c again 42"]);
      });

      it("loop, until the end of their window", async () => {
        const found = await runPipeline((p) =>
          p
            .apply(script().at(3, kv("a", 0)).watermark(25))
            .apply(windowInto(fixed(50)))
            .apply(
              statefulParDo({
                state: { ticks: value<number>() },
                timers: { tick: eventTimer() },
                process: (_element, { timers }) => timers.tick.set(10),
                onTimer: {
                  tick({ fireAt }, { state, timers, window, emit }) {
                    const ticks = (state.ticks.read() ?? 0) + 1;
                    state.ticks.write(ticks);
                    if (fireAt + 10 <= window.maxTimestamp) timers.tick.set(fireAt + 10);
                    else emit(ticks);
                  },
                },
              }),
            ),
        );
        assert.deepEqual(found, [4]);
      });

      it("of a family are told apart by their tags", async () => {
        const found = await runPipeline((p) =>
          p.apply(script().at(0, kv("a", 20), kv("a", 10), kv("b", 20), kv("a", -20))).apply(
            statefulParDo({
              timers: { t: eventTimers() },
              process: ({ value: at }, { timers }) => (at < 0 ? timers.t.clear(`tag ${-at}`) : timers.t.set(`tag ${at}`, at)),
              onTimer: { t: ({ key, tag }, { emit }) => emit(`${key} ${tag}`) },
            }),
          ),
        );
        assert.deepEqual(found, ["a tag 10", "b tag 20"]);
      });

      it("hold the watermark at their output timestamps, which what they put out has; those without hold nothing", async () => {
        const run = (outputTimestamp: number | "none" | undefined): Promise<unknown[]> =>
          runPipeline((p) =>
            p
              .apply(script().at(3, kv("a", 0)).watermark(15).watermark(40))
              .apply(
                statefulParDo({
                  timers: { t: eventTimer() },
                  process: (_element, { timers }) => timers.t.set(35, { outputTimestamp }),
                  onTimer: { t: (_timer, { emit }) => emit("fired") },
                }),
              )
              .apply(windowInto(fixed(10)))
              .apply(countPerElement())
              .apply(reifyWindows()),
          ).then((panes) => panes.map(({ window }) => String(window)));
        assert.deepEqual(await run(7), ["[0, 10)"], "not late, although the watermark was beyond it when it fired");
        assert.deepEqual(await run(undefined), ["[30, 40)"]);
        assert.deepEqual(await run("none"), ["[30, 40)"]);
        await assert.rejects(run(2), /the output timestamp of a timer is between .* not 1970-01-01T00:00:00.002/s);
        await assert.rejects(run(36), /the output timestamp of a timer is between .* not 1970-01-01T00:00:00.036/s);
      });
    });

    describe("timers of processing time", () => {
      const delayed = (delayMs: number) =>
        statefulParDo({
          timers: { t: processingTimer() },
          process: (_element: KV<string, number>, { timers }) => timers.t.after(delayMs),
          onTimer: { t: ({ key, fireAt }, { emit, timestamp }) => emit(`${key} at ${fireAt}, for ${timestamp}`) },
        });

      it("fire when the clock has reached them, and put out at the timestamp of their element unless told otherwise", async () => {
        const found = await runPipeline((p) => {
          const { pairs, marks } = p.apply(
            testStreams<{ pairs: KV<string, number>; marks: string }>("pairs", "marks")
              .at("pairs", 5, kv("a", 0))
              .advanceProcessingTime(60)
              .at("pairs", 6, kv("b", 0))
              .at("marks", 0, "60")
              .advanceProcessingTime(50)
              .at("marks", 0, "110")
              .advanceProcessingTime(50)
              .at("marks", 0, "160"),
          );
          return p.apply(flatten([pairs.apply(delayed(100)), marks]));
        });
        assert.deepEqual(found, ["60", "a at 100, for 5", "110", "b at 160, for 6", "160"]);
      });

      it("fire at the end of bounded input, rather than wait; those that they set then are dropped", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [
            ["a", 1],
            ["a", 2],
          ]).apply(
            statefulParDo({
              state: { waiting: bag<number>() },
              timers: { flush: processingTimer() },
              process({ value: n }, { state, timers }) {
                state.waiting.add(n);
                timers.flush.after(hours(1000));
              },
              onTimer: {
                flush(_timer, { state, timers, emit }) {
                  emit([...state.waiting.read()]);
                  state.waiting.clear();
                  timers.flush.after(1);
                },
              },
            }),
          ),
        );
        assert.deepEqual(found, [[1, 2]]);
      });

      it("of a family are told apart by their tags, and aligned if wanted", async () => {
        const found = await runPipeline((p) =>
          p.apply(script().advanceProcessingTime(3).at(0, kv("a", 20), kv("a", 10)).advanceProcessingTime(100)).apply(
            statefulParDo({
              timers: { t: processingTimers() },
              process: ({ value: n }, { timers }) => timers.t.after(`tag ${n}`, n, { alignToMs: 50, outputTimestamp: "none" }),
              onTimer: { t: ({ tag, fireAt }, { emit }) => emit(`${tag} at ${fireAt}`) },
            }),
          ),
        );
        assert.deepEqual(found.map(String).sort(), ["tag 10 at 50", "tag 20 at 50"]);
      });

      it("hold the watermark until they have fired", async () => {
        const panes = await runPipeline((p) =>
          p
            .apply(script().at(5, kv("a", 0)).watermark(50).advanceProcessingTime(200))
            .apply(delayed(100))
            .apply(windowInto(fixed(10)))
            .apply(countPerElement())
            .apply(reifyWindows()),
        );
        assert.deepEqual(
          panes.map(({ window, value: { key } }) => `${String(window)} ${String(key)}`),
          ["[0, 10) a at 100, for 5"],
        );
      });
    });

    describe("windows that expire", () => {
      const sums = (allowedLatenessMs = 0) => ({
        windowing: windowInto<KV<string, number>>(fixed(10), { allowedLatenessMs }),
        total: statefulParDo({
          state: { sum: combining(sumFn) },
          process({ value: n }: KV<string, number>, { state, emit }) {
            state.sum.add(n);
            emit(`+${n}`);
          },
          onWindowExpiration: ({ key }, { state, window, timestamp, emit }) =>
            emit(`${key} ${String(window)} ${state.sum.read()} at ${timestamp}`),
        }),
      });

      it("tell of each key once, while its state is there, behind their end and the allowed lateness", async () => {
        const { windowing, total } = sums(5);
        const found = await runPipeline((p) =>
          p
            .apply(
              script()
                .at(3, kv("a", 1), kv("b", 2))
                .watermark(12)
                .at(4, kv("a", 3)) // late, but not too late
                .watermark(15)
                .at(5, kv("a", 100)) // too late
                .at(16, kv("a", 7)),
            )
            .apply(windowing)
            .apply(total),
        );
        assert.deepEqual(found, ["+1", "+2", "+3", "a [0, 10) 4 at 9", "b [0, 10) 2 at 9", "+7", "a [10, 20) 7 at 19"]);
      });

      it("hold the watermark at their end for what is put out then", async () => {
        const { windowing, total } = sums(5);
        const panes = await runPipeline((p) =>
          p
            .apply(script().at(3, kv("a", 1)).watermark(12).watermark(100))
            .apply(windowing)
            .apply(total)
            .apply(windowInto(fixed(10)))
            .apply(countPerElement())
            .apply(reifyWindows()),
        );
        assert.deepEqual(panes.map(({ value: { key } }) => String(key)).sort(), ["+1", "a [0, 10) 1 at 9"]);
      });

      it("fire the timers that are left before", async () => {
        const found = await runPipeline((p) =>
          keyed(p, [["a", 5]])
            .apply(withTimestamps(({ value: n }) => n))
            .apply(windowInto(fixed(10)))
            .apply(
              statefulParDo({
                state: { log: bag<string>() },
                timers: { event: eventTimer(), processing: processingTimer() },
                process(_element, { timers }) {
                  timers.processing.after(hours(1));
                  timers.event.setToEndOfWindow();
                },
                onTimer: {
                  event: (_timer, { state }) => state.log.add("event"),
                  processing: (_timer, { state }) => state.log.add("processing"),
                },
                onWindowExpiration: (_expired, { state, emit }) => emit(state.log.read().join(" ")),
              }),
            ),
        );
        assert.deepEqual(found, ["event processing"]);
      });
    });

    describe("a stateful function that fails", () => {
      const failing = (where: "element" | "timer") => (p: Pipeline) =>
        keyed(p, [
          ["a", 1],
          ["b", 12],
        ])
          .apply(withTimestamps(({ value: n }) => n))
          .apply(windowInto(fixed(10)))
          .apply(
            statefulParDo("keep", {
              timers: { end: eventTimer() },
              process({ key }, { timers, window }) {
                if (where === "element" && key === "b") throw new Error("no");
                timers.end.set(window.maxTimestamp);
              },
              onTimer: {
                end({ key }) {
                  if (key === "b") throw new Error("no");
                },
              },
            }),
          );

      it("is reported with key and window, of an element and of a timer", async () => {
        const window = "[1970-01-01T00:00:00.010Z, 1970-01-01T00:00:00.020Z)";
        for (const where of ["element", "timer"] as const)
          await assert.rejects(runPipeline(failing(where)), (error) => {
            assert.ok(error instanceof UserCodeError);
            assert.equal(error.site.key, '"b"');
            assert.equal(error.site.window, window);
            assert.equal(error.site.attempts, 4);
            return true;
          });
      });
    });
  });
