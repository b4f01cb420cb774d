// Side inputs on unbounded input, by scripts on a virtual clock: when elements and timers go on, and what they see then.
import assert from "node:assert/strict";
import {
  afterEachElement,
  afterWatermark,
  afterDelay,
  asIterable,
  asList,
  asMap,
  asSingleton,
  countGlobally,
  create,
  eventTimer,
  fixed,
  global,
  groupByKey,
  hours,
  kv,
  map,
  minutes,
  output,
  parDo,
  pipeline,
  processingTimer,
  refreshed,
  repeatedly,
  run,
  seconds,
  sequence,
  sliding,
  statefulParDo,
  wait,
  windowInto,
  withKeys,
  type PCollection,
  type SideInput,
  type WindowOptions,
} from "../../sdk/index.js";
import { local } from "../../local/index.js";
import { runPipeline, testStreams, type TestStreams } from "../../local/testing.js";

type Script = TestStreams<{ main: number; side: string }>;
const script = (): Script => testStreams("main", "side");

/** What each main element saw of the side input, in the order in which they went on, with the steps of the script told by number. */
async function seen<V>(
  steps: Script,
  view: (side: PCollection<string>) => SideInput<V>,
  windows: { readonly main?: PCollectionWindows; readonly side?: PCollectionWindows } = {},
  options: Parameters<typeof runPipeline>[1] = {},
): Promise<string[]> {
  const log: string[] = [];
  await runPipeline((p) => {
    const { main, side } = p.apply(steps);
    const windowed = <T>(elements: PCollection<T>, [windowFn, how]: PCollectionWindows = [global()]): PCollection<T> =>
      elements.apply(windowInto(windowFn, how));
    return windowed(main, windows.main).apply(
      map((n, { it }) => void log.push(`${n} ${JSON.stringify(it)}`), { with: { it: view(windowed(side, windows.side)) } }),
    );
  }, options);
  return log;
}
type PCollectionWindows = readonly [windowFn: ReturnType<typeof fixed>, options?: WindowOptions];

const EACH = { trigger: afterEachElement() };
const spread = (side: PCollection<string>): SideInput<readonly string[]> => asList(side);

describe("a side input", () => {
  it("is ready when its window is complete, each by itself", async () => {
    const log = await seen(
      script()
        .at("main", seconds(70), 2)
        .at("main", seconds(10), 1)
        .at("side", seconds(20), "a")
        .at("side", seconds(80), "b")
        .watermark("side", minutes(1))
        .at("main", seconds(15), 3)
        .watermark("side", minutes(2)),
      spread,
      { main: [fixed(minutes(1))], side: [fixed(minutes(1))] },
    );
    assert.deepEqual(log, ['1 ["a"]', '3 ["a"]', '2 ["b"]']);
  });

  it("is ready without an element when its window is complete, and not before", async () => {
    const log = await seen(
      script().at("main", 0, 1).watermark("side", minutes(1)).at("main", minutes(1), 2),
      (side) => asSingleton(side, { default: "nothing" }),
      { main: [fixed(minutes(1))], side: [fixed(minutes(1))] },
    );
    assert.deepEqual(log, ['1 "nothing"', '2 "nothing"']);
  });

  it("is ready with its first pane where it has a trigger, and refreshed by those that follow", async () => {
    const log = await seen(
      script()
        .at("main", 0, 1)
        .at("side", 0, "a")
        .at("main", 0, 2)
        .at("side", 0, "b")
        .at("main", 0, 3)
        .at("side", 0, "c", "d")
        .at("main", 0, 4),
      (side) => asSingleton(side),
      { side: [global(), EACH] },
    );
    assert.deepEqual(log, ['1 "a"', '2 "a"', '3 "b"', '4 "d"']);
  });

  it("has all that its window has had where panes accumulate, and the latest pane alone where they do not", async () => {
    for (const [panes, expected] of [
      ["discarding", ['1 ["a"]', '2 ["b"]']],
      ["accumulating", ['1 ["a"]', '2 ["a","b"]']],
    ] as const)
      assert.deepEqual(
        await seen(script().at("side", 0, "a").at("main", 0, 1).at("side", 0, "b").at("main", 0, 2), spread, {
          side: [global(), { ...EACH, panes }],
        }),
        expected,
      );
  });

  it("has what came since the last pane, by a delay of processing time", async () => {
    const log = await seen(
      script()
        .at("side", 0, "a", "b")
        .at("main", 0, 1)
        .advanceProcessingTime(seconds(9))
        .at("side", 0, "c")
        .advanceProcessingTime(seconds(1))
        .at("main", 0, 2)
        .at("side", 0, "d")
        .at("main", 0, 3)
        .advanceProcessingTime(seconds(10))
        .at("main", 0, 4),
      spread,
      { side: [global(), { trigger: repeatedly(afterDelay(seconds(10))) }] },
    );
    assert.deepEqual(log, ['1 ["a","b","c"]', '2 ["a","b","c"]', '3 ["a","b","c"]', '4 ["d"]']);
  });

  it("keeps what it has had when the pane at the end of its window brings nothing new", async () => {
    const log = await seen(script().at("side", 0, "a").at("main", 0, 1).watermark("side", minutes(1)).at("main", 0, 2), spread, {
      main: [fixed(minutes(1))],
      side: [fixed(minutes(1)), { trigger: afterWatermark({ early: afterEachElement() }) }],
    });
    assert.deepEqual(log, ['1 ["a"]', '2 ["a"]']);
  });

  it("is refreshed by late panes", async () => {
    const log = await seen(
      script()
        .at("side", 0, "a")
        .at("main", 0, 1)
        .watermark("side", minutes(1))
        .at("side", 0, "late")
        .at("main", 0, 2)
        .watermark("side", hours(2))
        .at("side", 0, "too late")
        .at("main", 0, 3),
      spread,
      { main: [fixed(minutes(1))], side: [fixed(minutes(1)), { allowedLatenessMs: hours(1), panes: "accumulating" }] },
    );
    assert.deepEqual(log, ['1 ["a"]', '2 ["a","late"]', '3 ["a","late"]']);
  });

  for (const [name, main, side, expected] of [
    ["fixed to fixed of another size", fixed(minutes(1)), fixed(minutes(2)), ['1 ["a","b"]', '2 ["a","b"]', '3 ["c"]']],
    ["fixed to global", fixed(minutes(1)), global(), ['1 ["a","b","c"]', '2 ["a","b","c"]', '3 ["a","b","c"]']],
    [
      "fixed to sliding: the one that ends first",
      fixed(minutes(1)),
      sliding({ size: minutes(2), every: minutes(1) }),
      ['1 ["a"]', '2 ["a","b"]', '3 ["b","c"]'],
    ],
    ["sliding to fixed", sliding({ size: minutes(2), every: minutes(2) }), fixed(minutes(1)), ['1 ["b"]', '2 ["b"]', "3 []"]],
    ["global to fixed: the last of all", global(), fixed(minutes(1)), ["1 []", "2 []", "3 []"]],
  ] as const)
    it(`is found by window: ${name}`, async () => {
      const steps = script()
        .at("side", seconds(10), "a")
        .at("side", seconds(70), "b")
        .at("side", seconds(130), "c")
        .at("main", seconds(0), 1)
        .at("main", seconds(60), 2)
        .at("main", seconds(120), 3);
      assert.deepEqual((await seen(steps, (each) => asList(each), { main: [main], side: [side] })).sort(), expected);
    });

  it("is what it was when a bundle is tried again, or newer", async () => {
    let attempts = 0;
    const log: string[] = [];
    await runPipeline((p) => {
      const { main, side } = p.apply(script().at("side", 0, "a").at("main", 0, 1, 2).at("side", 0, "b").at("main", 0, 3));
      const latest = asSingleton(side.apply(windowInto(global(), EACH)));
      return main
        .apply(
          map(
            (n, { it }) => {
              if (n === 2 && attempts++ < 2) throw new Error("no");
              return `${n} ${it}`;
            },
            { with: { it: latest } },
          ),
        )
        .apply(map((text) => void log.push(text)));
    });
    assert.deepEqual([...new Set(log)], ["1 a", "2 a", "3 b"]);
    assert.equal(attempts, 3);
  });

  it("does not depend on what takes turns and where bundles end", async () => {
    for (let shuffleSeed = 0; shuffleSeed < 10; shuffleSeed++) {
      const log = await seen(
        script()
          .at("main", seconds(10), 1, 2, 3)
          .at("main", seconds(70), 4, 5, 6)
          .at("side", seconds(80), "b", "c")
          .at("side", seconds(20), "a")
          .watermark("side", minutes(1))
          .watermark("main", minutes(1)),
        (side) => asIterable(side),
        { main: [fixed(minutes(1))], side: [fixed(minutes(1))] },
        { shuffleSeed, runtime: { channelBytes: 64, batchBytes: 16 } },
      );
      assert.deepEqual(
        log.map((line) => line.replace('["c","b"]', '["b","c"]')),
        ['1 ["a"]', '2 ["a"]', '3 ["a"]', '4 ["b","c"]', '5 ["b","c"]', '6 ["b","c"]'],
      );
    }
  });
});

describe("side inputs of timers", () => {
  it("are ready when a timer fires, and when a window expires: both wait, and so does the watermark", async () => {
    const log: string[] = [];
    const found = await runPipeline((p) => {
      const { main, side } = p.apply(
        script()
          .at("side", 0, "early")
          .at("main", 0, 1)
          .watermark("main", minutes(5))
          .at("side", 0, "more")
          .at("main", minutes(5), 2)
          .watermark("side", minutes(10)),
      );
      const it = asList(
        side.apply(windowInto(fixed(minutes(2)), { trigger: afterWatermark({ early: afterDelay(hours(1)) }), panes: "accumulating" })),
      );
      return main
        .apply(windowInto(fixed(minutes(1))))
        .apply(withKeys(() => "key"))
        .apply(
          statefulParDo({
            timers: { later: eventTimer(), soon: processingTimer() },
            outputs: output<string>(),
            with: { it },
            process({ value: n }, { timers, it: all, emit }) {
              timers.later.set(minutes(n === 1 ? 0.5 : 5.5));
              timers.soon.after(1);
              emit(`${n} ${all.join()}`);
            },
            onTimer: {
              later: ({ fireAt }, { it: all, emit }) => emit(`timer ${fireAt} ${all.join()}`),
              soon: (_timer, { it: all, emit }) => emit(`soon ${all.join()}`),
            },
            onWindowExpiration: (_expired, { it: all, emit }) => emit(`expired ${all.join()}`),
          }),
        )
        .apply(map((text) => (log.push(text), text)))
        .apply(withKeys(() => "all"))
        .apply(groupByKey())
        .apply(map(({ value }, { window }) => `${window.maxTimestamp + 1}: ${[...value].length}`));
    });
    assert.deepEqual(log, ["1 early,more", "2 ", "timer 30000 early,more", "expired early,more", "timer 330000 ", "soon ", "expired "]);
    assert.deepEqual(found, [`${minutes(1)}: 3`, `${minutes(6)}: 4`], "nothing was late");
  });

  it("hold a timer back that was set before its side input was read", async () => {
    const found = await runPipeline((p) => {
      const { main, side } = p.apply(
        script()
          .at("side", 0, "first")
          .at("main", 0, 1)
          .watermark("main", minutes(1))
          .watermark("main", hours(1))
          .at("side", minutes(1), "second")
          .watermark("side", hours(1)),
      );
      const first = asSingleton(side.apply(windowInto(global(), EACH)));
      return main.apply(withKeys(() => "key")).apply(
        statefulParDo({
          timers: { later: eventTimer() },
          outputs: output<string>(),
          with: { first },
          process: (_element, { timers }) => timers.later.set(seconds(1)),
          onTimer: { later: (_timer, { first: latest, emit }) => emit(latest) },
        }),
      );
    });
    assert.deepEqual(found, ["first"], "ready with its first pane, so that the timer does not wait for the second");
  });
});

describe("wait.on", () => {
  it("lets elements go on when their window of the signal is over, lateness included", async () => {
    const log: string[] = [];
    await runPipeline((p) => {
      const { main, side } = p.apply(
        script()
          .at("main", seconds(10), 1)
          .at("main", seconds(70), 2)
          .at("side", seconds(20), "a")
          .watermark("side", minutes(1))
          .at("side", seconds(20), "late")
          .watermark("side", minutes(2))
          .watermark("side", minutes(3)),
      );
      const signal = side
        .apply(windowInto(fixed(minutes(1)), { allowedLatenessMs: minutes(1) }))
        .apply(map((text) => (log.push(text), text)));
      return main
        .apply(windowInto(fixed(minutes(1))))
        .apply(wait.on(signal))
        .apply(map((n) => void log.push(`main ${n}`)));
    });
    assert.deepEqual(log, ["a", "late", "main 1", "main 2"]);
  });

  it("waits for all of several signals, and for the end of those that end", async () => {
    const log: string[] = [];
    const told = (text: string) => map(`told ${text}`, (n: number) => (log.push(`${text} ${n}`), n));
    await runPipeline((p) => {
      const main = p.apply(create("main", [1, 2]));
      const one = p.apply(create("one", [10])).apply(told("one"));
      const two = p.apply(create("two", [20])).apply(told("two"));
      return main.apply(wait.on(one, two)).apply(told("main"));
    });
    assert.deepEqual(new Set(log.slice(0, 2)), new Set(["one 10", "two 20"]));
    assert.deepEqual(log.slice(2), ["main 1", "main 2"]);
    assert.throws(() => wait.on(), /needs a signal/);
  });
});

describe("refreshed", () => {
  it("is read as what was loaded last", async () => {
    let loads = 0;
    const seenRates = await runPipeline(
      (p) => {
        const rates = p.apply(
          refreshed({ everyMs: minutes(1), to: minutes(10), load: () => Promise.resolve(new Map([["EUR", ++loads]])) }),
        );
        return p
          .apply(sequence({ to: 20, perSecond: 1 / 30 }))
          .apply(map((n, { rates: current }) => kv(n, current.get("EUR")), { with: { rates: asSingleton(rates) } }));
      },
      { virtualTime: true },
    );
    assert.equal(loads, 10);
    assert.equal(seenRates.length, 20);
    for (const { key: n, value: load } of seenRates)
      assert.ok(load === Math.floor(n / 2) + 1 || (n % 2 === 0 && load === n / 2), `element ${n} saw load ${load}`);
  });
});

describe("a side input of several tasks", () => {
  it("has one copy in a worker, whatever reads it", async () => {
    const maps = new Set<unknown>();
    const definition = pipeline((p) => {
      const side = asMap(
        p.apply(
          create(
            "side",
            Array.from({ length: 1000 }, (_, i) => kv(i, `value ${i}`)),
          ),
        ),
      );
      const numbers = p.apply(
        create(
          "numbers",
          Array.from({ length: 100 }, (_, i) => i),
        ),
      );
      const look = (name: string) =>
        parDo(name, {
          outputs: output<number>(),
          with: { side },
          process(n: number, { side: all, emit }) {
            maps.add(all);
            assert.equal(all.get(n), `value ${n}`);
            emit(n);
          },
        });
      numbers.apply(look("first"));
      numbers
        .apply(withKeys((n) => n % 3))
        .apply(groupByKey())
        .apply(map(({ key }) => key))
        .apply(look("second"))
        .apply(countGlobally());
    });
    const metrics = await run(definition, {}, local());
    assert.equal(maps.size, 1, "one view for all");
    assert.equal(metrics.elements.get("first"), 100);
    assert.equal(metrics.elements.get("second"), 3);
  });
});
