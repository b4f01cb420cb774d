// Unbounded sources in whole pipelines: what is read, how runs end, and that idle inputs hold nobody back. Where time matters it is
// virtual, moved by the script of a testStream.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CancelledError,
  countPerElement,
  eventTime,
  fixed,
  flatten,
  hours,
  kv,
  map,
  minutes,
  net,
  periodicImpulse,
  pipeline,
  reifyWindows,
  run,
  seconds,
  sequence,
  unboundedSource,
  UserCodeError,
  windowInto,
  type PCollection,
  type Pipeline,
} from "beamstorm";
import { describeTopology, local } from "beamstorm/local";
import { expectPanes, runPipeline, testStream } from "beamstorm/testing";
import { bundleProgram, type BundledProgram } from "../../local/bundle-program.js";
import type * as Fixture from "./fixtures/sources.js";

describe("an unbounded source", () => {
  it("is read to its end", async () => {
    const found = await runPipeline((p) => p.apply(sequence({ from: 3, to: 20_003 })));
    assert.deepEqual(
      found,
      Array.from({ length: 20_000 }, (_, i) => i + 3),
    );
  });

  it("is read whole, whatever takes turns and where bundles end", async () => {
    for (let shuffleSeed = 0; shuffleSeed < 20; shuffleSeed++) {
      const runtime = { channelBytes: 64, batchBytes: 16 };
      const found = await runPipeline((p) => p.apply(sequence({ to: 200 })).apply(countPerElement()), { shuffleSeed, runtime });
      assert.deepEqual(
        found.map(({ key, value }) => [key, value]).sort(([a], [b]) => a - b),
        Array.from({ length: 200 }, (_, i) => [i, 1]),
      );
    }
  });

  it("has its windows complete while it goes on", async () => {
    const log: string[] = [];
    await runPipeline((p) =>
      p
        .apply(periodicImpulse({ everyMs: minutes(1), from: 0, to: minutes(3) }))
        .apply(map((tick) => (log.push(`tick ${tick / minutes(1)}`), tick / minutes(1))))
        .apply(windowInto(fixed(minutes(1))))
        .apply(countPerElement())
        .apply(map(({ key }) => void log.push(`window ${key}`))),
    );
    assert.deepEqual(log.filter((each) => each.startsWith("window")).sort(), ["window 0", "window 1", "window 2"]);
  });

  it("is a spout of its own, with as many tasks as it can be shared by", () => {
    const graph = pipeline((p) => {
      const open = () => ({ read: () => "end" as const });
      const pair = p.apply(unboundedSource<number>({ name: "pair", parallelism: 2, open }));
      const single = p.apply(unboundedSource<number>({ name: "single", open }));
      p.apply(flatten([pair, single])).apply(map("use", (n) => n));
    });
    const text = describeTopology(graph, {}, { workers: 4 });
    assert.match(text, /spout-1 pair ×2\n {4}read: pair\n/);
    assert.match(text, /spout-2 single ×1\n {4}read: single\n/);
  });

  it("that waits for the world outside is not taken for a job that hangs", async () => {
    let timer: NodeJS.Timeout | undefined;
    const patient = unboundedSource<number>({
      maxElements: 1,
      watermark: eventTime(() => 0), // does not wait for the clock either
      open({ available }) {
        let has = false;
        timer ??= setTimeout(() => {
          has = true;
          available();
        }, 2500); // more than three reports of the worker
        return { read: (emit) => (has && emit(1) ? "more" : "later") };
      },
    });
    assert.deepEqual(await runPipeline((p) => p.apply(patient)), [1]);
  });
});

describe("a run with a source that listens", () => {
  const isFree = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(false);
      });
      socket.on("error", () => resolve(true));
    });
  /** A pipeline that listens, and when it does. */
  const listening = (then: (p: PCollection<string>) => unknown = () => {}) => {
    let heard: (port: number) => void = () => {};
    const port = new Promise<number>((resolve) => (heard = resolve));
    return { port, definition: pipeline((p) => void then(p.apply(net.tcpLines({ port: 0, onListening: heard })))) };
  };

  it("ends when it is cancelled, and frees its port", async () => {
    const { port, definition } = listening((lines) => lines.apply(map((line) => line)));
    const started = await local().start(definition, {});
    const result = started.result();
    const at = await port;
    assert.equal(await isFree(at), false);
    await started.cancel();
    await assert.rejects(result, CancelledError);
    assert.equal(await isFree(at), true);
  });

  it("frees its port when a function fails", async () => {
    const { port, definition } = listening((lines) =>
      lines.apply(
        map("fail", () => {
          throw new Error("no");
        }),
      ),
    );
    const failed = run(definition, {}, local());
    const at = await port;
    connect(at, "127.0.0.1")
      .on("error", () => {})
      .end("a\n");
    await assert.rejects(failed, /in transform "fail": no/);
    assert.equal(await isFree(at), true);
  });

  it("frees its port when another source cannot be opened", async () => {
    const broken = pipeline((p) => {
      p.apply(net.tcpLines({ port: 0, onListening: (at) => void (opened = at) })).apply(map("a", (line) => line));
      p.apply(unboundedSource<string>({ name: "broken", open: () => Promise.reject(new Error("not there")) })).apply(
        map("b", (line) => line),
      );
    });
    let opened = 0;
    await assert.rejects(
      run(broken, {}, local()),
      (error) =>
        error instanceof UserCodeError && error.site.transform === "broken" && /could not be opened .*: not there/.test(error.message),
    );
    assert.notEqual(opened, 0);
    assert.equal(await isFree(opened), true);
  });
});

describe("an idle source", () => {
  const script = () => testStream<string>();
  /** Runs a script beside a source, and gives the order in which elements of the script and complete windows were seen. */
  const order = async (events: ReturnType<typeof script>, source: (p: Pipeline) => PCollection<string>): Promise<string[]> => {
    const log: string[] = [];
    await runPipeline((p) => {
      const scripted = p.apply(events).apply(map("log", (element) => (log.push(element), element)));
      return p
        .apply(flatten([scripted, source(p)]))
        .apply(windowInto(fixed(minutes(1))))
        .apply(countPerElement())
        .apply(map(({ key }) => void log.push(`window of ${key}`)));
    });
    return log;
  };
  const events = () =>
    script()
      .at(0, "first")
      .watermark(minutes(2))
      .advanceProcessingTime(999)
      .at(minutes(5), "before")
      .advanceProcessingTime(1)
      .at(minutes(6), "after")
      .advanceProcessingTime(9000);
  /** Never has anything; ends after ten seconds. */
  const quiet = (idleAfterMs?: number) => (p: Pipeline) =>
    p.apply(
      unboundedSource<string>({ idleAfterMs, maxReadMs: 10_000, watermark: eventTime(() => 0), open: () => ({ read: () => "later" }) }),
    );

  it("does not hold another one's windows back after the set time", async () => {
    assert.deepEqual((await order(events(), quiet(1000))).slice(0, 4), ["first", "before", "window of first", "after"]);
  });

  it("holds them back to its end where no time is set", async () => {
    assert.deepEqual((await order(events(), quiet())).slice(0, 4), ["first", "before", "after", "window of first"]);
  });

  it("is waited for again when it has something, and what is behind the watermark then is late", async () => {
    const panes = await runPipeline((p) => {
      const scripted = p.apply(
        testStream<string>().at(0, "a").watermark(minutes(2)).advanceProcessingTime(1000).advanceProcessingTime(1000).end(),
      );
      const back = unboundedSource<string>({
        idleAfterMs: 1000,
        watermark: eventTime((element: string) => (element === "late" ? 5 : minutes(3))),
        open: ({ now }) => ({
          read(emit) {
            if (now() < 2000) return 2000;
            emit("late");
            emit("in time");
            return "end";
          },
        }),
      });
      return p
        .apply(flatten([scripted, p.apply(back)]))
        .apply(windowInto(fixed(minutes(1)), { allowedLatenessMs: hours(1) }))
        .apply(countPerElement())
        .apply(reifyWindows());
    });
    expectPanes(panes)
      .onTime([kv("a", 1), kv("in time", 1)])
      .late([kv("late", 1)]);
  });
});

describe("unbounded sources on virtual time", () => {
  it("have what is due when the script says that time passes", async () => {
    const log: string[] = [];
    await runPipeline((p) => {
      const log_ = (element: string | number): void => void log.push(String(element));
      p.apply(testStream<string>().at(0, "start").advanceProcessingTime(250).at(0, "middle").advanceProcessingTime(60_000)).apply(
        map("script", log_),
      );
      return p.apply(sequence({ to: 5, perSecond: 10 })).apply(map("numbers", log_));
    });
    assert.deepEqual(log, ["0", "start", "1", "2", "middle", "3", "4"]);
  });

  it("have windows by the time at which elements are due", async () => {
    const panes = await runPipeline((p) => {
      p.apply(testStream<string>().advanceProcessingTime(seconds(10)).advanceProcessingTime(seconds(60))).apply(map((each) => each));
      return p
        .apply(sequence({ to: 20, perSecond: 1 }))
        .apply(map(() => "n"))
        .apply(windowInto(fixed(seconds(10))))
        .apply(countPerElement())
        .apply(reifyWindows());
    });
    expectPanes(panes).onTime([kv("n", 10), kv("n", 10)]);
  });
});

describe("unbounded sources in worker processes", () => {
  let program: BundledProgram;
  let fixture: typeof Fixture;
  let folder: string;
  before(async () => {
    program = await bundleProgram(fileURLToPath(new URL("./fixtures/sources.ts", import.meta.url)));
    fixture = (await import(program.module)) as typeof Fixture;
    folder = await mkdtemp(join(tmpdir(), "beamstorm-sources-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
    await program.dispose();
  });
  const workers = (exportName: string, count = 2) => local({ workers: count, module: program.module, exportName });

  it("share a sequence", async () => {
    await run(fixture.shared, {}, workers("shared", 3));
  });

  it("take requests in a worker", async () => {
    const file = join(folder, "port");
    const done = run(fixture.ingest, { file }, workers("ingest"));
    while (!existsSync(file) || (await readFile(file, "utf8")) === "") await new Promise((resolve) => setTimeout(resolve, 10));
    const port = await readFile(file, "utf8");
    const headers = { "content-type": "application/x-ndjson" };
    await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "1\n2\n3\n", headers });
    await done;
  });

  it("do not hold each other back when idle, over links between workers", async () => {
    const file = join(folder, "window");
    await run(fixture.idle, { file }, workers("idle"));
    assert.equal(await readFile(file, "utf8"), "1000,2000");
  });
});
