// Jobs that are drained: their sources end, and everything behind them as at the end of bounded input.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CancelledError,
  countPerElement,
  eventTimer,
  fixed,
  global,
  groupByKey,
  hours,
  map,
  never,
  output,
  parDo,
  pipeline,
  processingTimer,
  repeatedly,
  afterCount,
  seconds,
  sequence,
  statefulParDo,
  unboundedSource,
  value,
  windowInto,
  withKeys,
  type PCollection,
  type Pipeline,
  type Reader,
  type ReaderContext,
  type Run,
} from "beamstorm";
import { local } from "beamstorm/local";
import { testStream } from "beamstorm/testing";
import { beamstorm, root, type CommandResult } from "../support/run-cli.js";

/** Starts a run of what is built. */
async function start(build: (p: Pipeline) => void, options: Parameters<typeof local>[0] = {}): Promise<Run> {
  return await local(options).start(pipeline(build), {});
}

/** A source that has these elements, then nothing, and says when somebody has seen them all. */
function quiet<T>(elements: readonly T[], drained?: readonly T[]) {
  const rest = [...elements];
  const left = [...(drained ?? [])];
  let isDrained = false;
  const open = ({ available }: ReaderContext): Reader<T> => ({
    read(emit) {
      for (const element of rest.splice(0)) emit(element, 0);
      if (!isDrained) return "later";
      for (const element of left.splice(0)) emit(element, 0);
      return "end";
    },
    watermark: () => 0,
    ...(drained === undefined
      ? {}
      : {
          drain() {
            isDrained = true;
            available();
          },
        }),
  });
  return unboundedSource<T>({ name: "quiet", open });
}

/** Resolves when `pcollection` has had so many elements. */
function watch(count: number): { readonly seen: <T>(elements: PCollection<T>) => void; readonly all: Promise<void> } {
  let n = 0;
  let done: () => void;
  const all = new Promise<void>((resolve) => (done = resolve));
  return {
    all,
    seen: (elements) => void elements.apply(map("seen", () => void (++n === count && done()))),
  };
}

describe("a job that is drained", () => {
  it("processes what was read, closes windows, and ends DRAINED", async () => {
    const found: string[] = [];
    const { seen, all } = watch(3);
    const run = await start((p) => {
      const words = p.apply(quiet(["a", "b", "a"]));
      seen(words);
      words
        .apply(windowInto(fixed(hours(1))))
        .apply(countPerElement())
        .apply(map("found", ({ key, value }) => void found.push(`${key} ${value}`)));
    });
    const states: string[] = [];
    run.state$.subscribe((state) => states.push(state));
    await all;
    assert.ok(run.isUnbounded);
    assert.deepEqual(found, []);
    await run.drain();
    assert.deepEqual(new Set(found), new Set(["a 2", "b 1"]));
    assert.deepEqual(states.slice(-2), ["DRAINING", "DRAINED"]);
    assert.equal((await run.result()).elements.get("seen"), 3);
    await run.drain();
    await run.cancel();
    assert.equal(run.state, "DRAINED");
  });

  it("takes what a source has taken already", async () => {
    const found: number[] = [];
    const { seen, all } = watch(2);
    const run = await start((p) => {
      const numbers = p.apply(quiet([1, 2], [3, 4]));
      seen(numbers);
      numbers.apply(map("found", (n) => void found.push(n)));
    });
    await all;
    await run.drain();
    assert.deepEqual(found, [1, 2, 3, 4]);
  });

  it("may be drained before it runs: nothing is read, and it is complete", async () => {
    const run = await start((p) => void p.apply(sequence()).apply(map("read", (n) => n)));
    assert.equal(run.state, "STARTING");
    await Promise.all([run.drain(), run.drain()]);
    assert.equal(run.state, "DRAINED");
    assert.equal(run.metrics.elements.get("read"), 0);
  });

  it("may start with its sources drained, and is then done like any other", async () => {
    const run = await start(
      (p) => {
        p.apply(sequence()).apply(map("read", (n) => n));
        p.apply(testStream<number>().at(0, 1)).apply(map("scripted", (n) => n));
      },
      { startsDrained: true },
    );
    const { elements } = await run.result();
    assert.equal(run.state, "DONE");
    assert.deepEqual([elements.get("read"), elements.get("scripted")], [0, 0]);
  });

  it("can still be cancelled, and still fails", async () => {
    const stuck = watch(1);
    const hanging = await start((p) => {
      const numbers = p.apply(quiet([1]));
      numbers.apply(map("hangs", () => new Promise<number>(() => {})));
      stuck.seen(numbers);
    });
    await stuck.all;
    void hanging.drain();
    await hanging.cancel();
    assert.equal(hanging.state, "CANCELLED");
    await assert.rejects(hanging.result(), CancelledError);

    const read = watch(1);
    const failing = await start((p) => {
      const numbers = p.apply(quiet([1]));
      read.seen(numbers);
      numbers
        .apply(windowInto(fixed(hours(1))))
        .apply(countPerElement())
        .apply(
          map("fails", () => {
            throw new Error("no");
          }),
        );
    });
    await read.all;
    await failing.drain();
    assert.equal(failing.state, "FAILED");
    await assert.rejects(failing.result(), /no/);
  });

  it("fires timers, those of processing time at once, and tells functions why", async () => {
    const found: string[] = [];
    const { seen, all } = watch(1);
    const run = await start((p) => {
      const keyed = p.apply(quiet(["a"])).apply(withKeys(() => "key"));
      keyed
        .apply(windowInto(fixed(hours(1))))
        .apply(
          statefulParDo({
            state: { n: value<number>() },
            timers: { event: eventTimer(), processing: processingTimer() },
            outputs: output<string>(),
            process(_element, { timers, emit, isDraining }) {
              timers.event.set(seconds(1));
              timers.processing.after(hours(1));
              emit(`element ${isDraining}`);
            },
            onTimer: {
              event: (_timer, { emit, isDraining }) => emit(`event ${isDraining}`),
              processing: (_timer, { emit, isDraining }) => emit(`processing ${isDraining}`),
            },
            onWindowExpiration: (_expired, { emit, isDraining }) => emit(`expired ${isDraining}`),
          }),
        )
        .apply(parDo("found", { process: (text: string, { isDraining }) => void found.push(`${text} ${isDraining}`) }));
      seen(keyed);
    });
    await all;
    await run.drain();
    assert.deepEqual(found, ["element false false", "event true true", "processing true true", "expired true true"]);
  });

  it("ends timers that would set themselves for ever, once each", async () => {
    let loops = 0;
    const { seen, all } = watch(1);
    const run = await start((p) => {
      const keyed = p.apply(quiet(["a"])).apply(withKeys(() => "key"));
      keyed.apply(
        statefulParDo({
          timers: { event: eventTimer(), processing: processingTimer() },
          outputs: output<string>(),
          process(_element, { timers }) {
            timers.event.set(seconds(1));
            timers.processing.after(hours(1));
          },
          onTimer: {
            event({ fireAt }, { timers }) {
              loops++;
              timers.event.set(fireAt + 1);
            },
            processing(_timer, { timers }) {
              loops++;
              timers.processing.after(1);
            },
          },
        }),
      );
      seen(keyed);
    });
    await all;
    await run.drain();
    assert.equal(loops, 2);
  });

  it("gives what triggers have kept", async () => {
    const found: (readonly number[])[] = [];
    const { seen, all } = watch(5);
    const run = await start((p) => {
      const numbers = p.apply(quiet([1, 2, 3, 4, 5]));
      numbers
        .apply(windowInto(global(), { trigger: repeatedly(afterCount(2)) }))
        .apply(withKeys(() => "key"))
        .apply(groupByKey())
        .apply(map("found", ({ value }) => void found.push([...value])));
      seen(numbers);
    });
    await all;
    await run.drain();
    assert.deepEqual(found, [[1, 2], [3, 4], [5]]);
  });

  it("skips the rest of a script", async () => {
    const found: number[] = [];
    let drained: Promise<void> | undefined;
    const run = await start((p) => {
      p.apply(testStream<number>().at(0, 1).at(0, 2).at(0, 3))
        .apply(map("drain", (n) => ((drained ??= run.drain()), n)))
        .apply(windowInto(fixed(hours(1))))
        .apply(countPerElement())
        .apply(map("found", ({ key }) => void found.push(key)));
    });
    await run.result();
    await drained;
    assert.ok(found.includes(1) && !found.includes(3), found.join());
    assert.equal(run.state, "DRAINED");
  });

  it("goes on to the end of bounded input", async () => {
    const found: number[] = [];
    const run = await start((p) => void p.apply(sequence({ to: 3 })).apply(map("found", (n) => void found.push(n))));
    assert.ok(!run.isUnbounded);
    await run.result();
    assert.deepEqual(found, [0, 1, 2]);
    await run.drain();
    assert.equal(run.state, "DONE");
  });

  it("needs no trigger to have fired", async () => {
    const { seen, all } = watch(1);
    const run = await start((p) => {
      const numbers = p.apply(quiet([1]));
      numbers.apply(windowInto(fixed(hours(1)), { trigger: never() })).apply(countPerElement());
      seen(numbers);
    });
    await all;
    await run.drain();
    assert.equal(run.state, "DRAINED");
  });
});

describe("beamstorm run at SIGTERM", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "beamstorm-drain-"))));
  after(() => rm(folder, { recursive: true }));

  /** Sends signals, one behind the other, each when standard output or standard error has what it waits for. */
  function signalled(args: readonly string[], ...signals: readonly (readonly [NodeJS.Signals, RegExp])[]): Promise<CommandResult> {
    const left = [...signals];
    const texts = { out: "", err: "" };
    const look = (child: { kill(signal: NodeJS.Signals): boolean }): void => {
      const next = left[0];
      if (next === undefined || !next[1].test(texts.out + texts.err)) return;
      left.shift();
      child.kill(next[0]);
    };
    return beamstorm(args, {
      onStdout: (stdout, child) => ((texts.out = stdout), look(child)),
      onStderr: (stderr, child) => ((texts.err = stderr), look(child)),
    });
  }

  for (const workers of [1, 2])
    it(`drains: output is complete to the last window, with ${workers} worker${workers > 1 ? "s" : ""}`, async () => {
      const sources = join(root, "test/integration/fixtures/sources.ts");
      const { code, stdout, stderr, message } = await signalled(
        ["run", sources, "--pipeline", "counted", "--workers", String(workers)],
        ["SIGTERM", /number 3\d\d\n/],
      );
      assert.equal(code, 0, stderr);
      assert.match(message, /^drained: /m);
      assert.match(stderr, /draining: sources are read no more/);
      assert.match(stderr, /"state":"DRAINING".*"state":"DRAINED"/s);
      const lines = stdout.split("\n");
      const numbers = lines.filter((line) => line.startsWith("number ")).map((line) => Number(line.slice(7)));
      const counts = lines.filter((line) => line.startsWith("window ")).map((line) => Number(line.split(" ")[2]));
      for (let share = 0; share < workers; share++) {
        const own = numbers.filter((n) => n % workers === share).sort((a, b) => a - b);
        assert.ok(own.length > 0);
        assert.deepEqual(
          own,
          own.map((_n, i) => share + i * workers),
          "a worker's share, without a gap",
        );
      }
      assert.equal(
        counts.length,
        Math.max(...numbers.map((n) => Math.floor(n / 100))) + 1,
        "every window that has a number, the last one included",
      );
      assert.equal(
        counts.reduce((sum, n) => sum + n, 0),
        numbers.length,
        "all that was read",
      );
    });

  it("drains the example top-pages, whose last minute is told then", async () => {
    const log = join(folder, "access.log");
    const line = (time: string, page: string): string => `2026-01-01T12:${time}Z ${page}\n`;
    await writeFile(log, line("00:05", "/home") + line("00:07", "/docs") + line("00:50", "/home") + line("02:00", "/help"));
    const { code, stdout, stderr } = await signalled(["run", "examples/top-pages.ts", "--input", log], ["SIGTERM", /12:00 /]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "12:00  /home 2, /docs 1\n12:02  /help 1\n");
  });

  it("drains at the word of another command", async () => {
    const sources = join(root, "test/integration/fixtures/sources.ts");
    const checkpointDir = join(folder, "checkpoints");
    const drain = ["drain", "--checkpoint-dir", checkpointDir];
    const early = await beamstorm(drain);
    assert.equal(early.code, 2);
    assert.match(early.message, /no run takes checkpoints in .*nothing is there to drain/);
    let asked: Promise<CommandResult> | undefined;
    const { code, message } = await beamstorm(["run", sources, "--pipeline", "counted", "--checkpoint-dir", checkpointDir], {
      onStdout: (stdout) => {
        if (/number 3\d\d\n/.test(stdout)) asked ??= beamstorm(drain);
      },
    });
    assert.equal(code, 0);
    assert.match(message, /^drained: /m);
    const { code: answer, message: said } = await asked!;
    assert.equal(answer, 0);
    assert.equal(said, "draining\nDRAINED\n");
  });

  it("cancels at a second signal", async () => {
    const functions = join(root, "test/integration/fixtures/sources.ts");
    for (const [second, expected] of [
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const) {
      const { code, message } = await signalled(
        ["run", functions, "--pipeline", "stuck"],
        ["SIGTERM", /has an element/],
        [second, /DRAINING/],
      );
      assert.match(message, /cancelled\n$/);
      assert.equal(code, expected);
    }
  });

  it("starts drained with the experiment", async () => {
    const sources = join(root, "test/integration/fixtures/sources.ts");
    const { code, stdout, message } = await signalled(["run", sources, "--pipeline", "counted", "--experiments", "x,drain"]);
    assert.equal(code, 0);
    assert.equal(stdout, "");
    assert.match(message, /^done: 0 elements/);
  });
}).timeout(60_000);
