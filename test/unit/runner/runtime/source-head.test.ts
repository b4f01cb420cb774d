// A task that reads a source which the test plays by hand, on a clock that the test moves. Catches busy polling, calls that are lost,
// watermarks that run ahead of elements or stand still, and readers left open.
import assert from "node:assert/strict";
import { UserCodeError, type NextRead, type SourceReader, type StageExecutor } from "../../../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, type Receiver } from "../../../../portability/values/index.js";
import {
  DEFAULT_RUNTIME_OPTIONS,
  ElementSizer,
  Inbox,
  Outbox,
  OutputChannel,
  singleStream,
  SourceHead,
  Task,
  VirtualClock,
  type ElementBatch,
  type RuntimeOptions,
} from "../../../../runner/runtime/index.js";
import { IDLE } from "../../../../runner/runtime/watermark-coalescer.js";

/** What a reader does at one read: the elements it has, by value and timestamp, and what it says then. */
interface Read {
  readonly has?: readonly number[];
  readonly next: NextRead;
}

class Bench {
  readonly log: string[] = [];
  readonly clock = new VirtualClock();
  head!: SourceHead;
  readonly channel: OutputChannel;
  readonly reads: Read[] = [];
  watermark = 0;
  done = false;
  error: unknown;
  /** What the stage does with an element once it has put it out. */
  fail: (value: unknown) => void = () => {};
  private readonly task: Task;
  private wanted = false;

  constructor({ idleAfterMs = Infinity, followsClock = false, credits = 1e6, ...options }: Partial<RuntimeOptions> & BenchOptions = {}) {
    const { log } = this;
    const channel = (this.channel = new (class extends OutputChannel {
      override readonly isLocal = true;
      protected override handOver(batch: ElementBatch): void {
        this.credits -= batch.bytes;
        log.push(...batch.values.map((value, i) => `${String(value)}@${batch.metaAt(i).timestamp}`));
      }
      protected override handOverBarrier(): void {}

      protected override handOverWatermark(watermark: number): void {
        log.push(watermark === IDLE ? "idle" : `watermark ${watermark === MAX_TIMESTAMP ? "end" : watermark}`);
      }
    })(credits));
    const outbox = new Outbox(options.bundleBytes);
    outbox.addStream("out", singleStream({ channels: [channel], sizer: new ElementSizer(), batchBytes: 1, owner: outbox }));
    const { clock } = this;
    this.task = new Task({
      id: "spout #0",
      componentId: "spout",
      inbox: new Inbox(),
      outbox,
      sideInputs: [],
      clock,
      options: { ...DEFAULT_RUNTIME_OPTIONS, ...options },
      owner: {
        wake: () => (this.wanted = true),
        taskDone: () => (this.done = true),
        taskFailed: (_task, error) => (this.error = error),
      },
    });
    const receive = this.task.contextFor(["out"]).outputs.get("out")!;
    const executor: StageExecutor = {
      receiver: () => (value, meta) => {
        receive(value, meta);
        this.fail(value);
      },
      startBundle: () => {},
      blocked: () => undefined,
      finishBundle: () => void log.push("bundle"),
      abort: () => {},
      elementCounts: () => new Map(),
      close: () => Promise.resolve(),
    };
    const reader: SourceReader = {
      idleAfterMs,
      followsClock,
      read: (emit) => {
        const { has = [], next } = this.reads.shift() ?? { next: Infinity };
        log.push("read");
        for (const [i, element] of has.entries())
          if (!emit(element, element) && i + 1 < has.length) {
            this.reads.unshift({ has: has.slice(i + 1), next });
            return "more";
          }
        return next;
      },
      watermark: () => (followsClock ? clock.now() : this.watermark),
      drain: () => void log.push("drain"),
      close: () => Promise.resolve(void log.push("close")),
    };
    const head = (next: Receiver): SourceHead => (this.head = new SourceHead(reader, next, clock, () => (this.wanted = true)));
    this.task.opened({ input: "in", open: () => Promise.resolve(executor), head }, executor);
  }

  start(): string[] {
    this.task.start();
    return this.run();
  }

  drain(): string[] {
    const before = this.log.length;
    this.task.beginDrain();
    this.run();
    return this.log.slice(before);
  }

  /** What happens until nobody wants a turn any more. */
  run(): string[] {
    const before = this.log.length;
    while (this.wanted) {
      this.wanted = false;
      while (this.task.turn(Infinity));
    }
    return this.log.slice(before);
  }

  after(ms: number): string[] {
    this.clock.advance(ms);
    return this.run();
  }

  async runLater(): Promise<string[]> {
    const before = this.log.length;
    await new Promise((resolve) => setImmediate(resolve));
    this.run();
    return this.log.slice(before);
  }

  /** One turn; whether it is to have another one at once, and what happened. */
  turn(): [boolean, ...string[]] {
    const before = this.log.length;
    const more = this.task.turn(Infinity);
    return [more, ...this.log.slice(before)];
  }

  stop(): Promise<void> {
    return this.task.stop();
  }

  get waitsForSource(): boolean {
    return this.task.waitsForSource;
  }
}

interface BenchOptions {
  readonly idleAfterMs?: number;
  readonly followsClock?: boolean;
  readonly credits?: number;
}

describe("SourceHead", () => {
  it("reads what is there in a bundle, publishes the watermark behind it, and then waits", () => {
    const bench = new Bench();
    bench.reads.push({ has: [1, 2], next: Infinity });
    bench.watermark = 2;
    assert.deepEqual(bench.start(), ["read", "bundle", "1@1", "2@2", "watermark 2"]);
    assert.deepEqual(bench.after(1e9), []);
    assert.ok(bench.waitsForSource);
  });

  it("lets others have their turn behind each of its bundles, although there is more to read", () => {
    const bench = new Bench({ bundleElements: 2 });
    bench.start();
    bench.reads.push({ has: [1, 2, 3], next: Infinity });
    bench.head.available();
    assert.deepEqual(bench.turn(), [true, "read", "bundle", "1@1", "2@2"]);
    assert.deepEqual(bench.turn(), [true, "read", "bundle", "3@3"]);
    assert.deepEqual(bench.turn(), [false]);
  });

  it("reads again when it is told that something has come, and not before", () => {
    const bench = new Bench();
    bench.start();
    bench.reads.push({ has: [7], next: Infinity });
    assert.deepEqual(bench.run(), []);
    bench.head.available();
    bench.head.available();
    assert.deepEqual(bench.run(), ["read", "bundle", "7@7"]);
  });

  it("reads at the time that the reader named", () => {
    const bench = new Bench();
    bench.reads.push({ next: 100 }, { has: [100], next: 200 });
    bench.start();
    assert.deepEqual(bench.after(99), []);
    assert.deepEqual(bench.after(1), ["read", "bundle", "100@100"]);
    assert.deepEqual(bench.after(99), []);
    assert.deepEqual(bench.after(1), ["read", "bundle"]);
  });

  it("does not lose a call that comes while it reads", () => {
    const bench = new Bench();
    bench.reads.push({
      get next() {
        bench.head.available();
        return Infinity;
      },
    });
    bench.reads.push({ has: [1], next: Infinity });
    assert.deepEqual(bench.start(), ["read", "read", "bundle", "1@1", "watermark 0"]);
  });

  it("publishes watermarks between bundles although there is always more to read", () => {
    const bench = new Bench({ bundleElements: 2 });
    bench.reads.push({ has: [1, 2, 3, 4], next: "more" }, { has: [5], next: Infinity });
    Object.defineProperty(bench, "watermark", { get: () => bench.log.filter((each) => each.includes("@")).length });
    const watermarks = bench.start().filter((each) => each.startsWith("watermark"));
    assert.deepEqual(watermarks, ["watermark 2", "watermark 4", "watermark 5"]);
  });

  it("reads no further while the output is full", () => {
    const bench = new Bench({ credits: 1, bundleBytes: 1 });
    bench.reads.push({ has: [1, 2, 3], next: Infinity });
    bench.start();
    assert.deepEqual(
      bench.log.filter((each) => each.includes("@")),
      ["1@1"],
    );
    assert.deepEqual(bench.reads[0].has, [3]);
  });

  it("is over when the reader says so: closed, then the last watermark", async () => {
    const bench = new Bench();
    bench.reads.push({ has: [1], next: "end" });
    bench.start();
    await bench.runLater();
    assert.deepEqual(bench.log, ["read", "bundle", "1@1", "close", "watermark end"]);
    assert.ok(bench.done && !bench.waitsForSource);
  });

  it("closes the reader when the task is stopped", async () => {
    const bench = new Bench();
    bench.start();
    await bench.stop();
    assert.equal(bench.log.at(-1), "close");
    bench.head.available();
    assert.deepEqual(bench.run(), []);
  });

  it("lets a watermark that follows the clock move although nothing comes", () => {
    const bench = new Bench({ followsClock: true });
    bench.start();
    assert.deepEqual(bench.after(50), ["watermark 50"]);
    assert.deepEqual(bench.after(50), ["watermark 100"]);
  });

  it("gives the stage again what it has failed with, and what was read meanwhile, each once and in order", async () => {
    const bench = new Bench({ retryDelayMs: 0 });
    let failures = 0;
    bench.fail = (value) => {
      if (value === 2 && ++failures <= 2) throw new UserCodeError({ transform: "t" }, "failed", new Error("no"));
    };
    bench.reads.push({ has: [1, 2, 3], next: "more" }, { has: [4], next: "end" });
    bench.start();
    for (let i = 0; i < 10; i++) await bench.runLater();
    assert.equal(bench.error, undefined);
    assert.deepEqual(
      bench.log.filter((each) => each.includes("@")),
      ["1@1", "2@2", "3@3", "4@4"],
    );
    assert.equal(failures, 3);
    assert.ok(bench.done);
  });

  context("when the job is drained", () => {
    it("reads what the reader has taken, then ends: closed, and the last watermark", async () => {
      const bench = new Bench();
      bench.start();
      bench.reads.push({ has: [1, 2], next: "more" }, { has: [3], next: "end" });
      bench.drain();
      await bench.runLater();
      assert.deepEqual(bench.log, [
        "read",
        "bundle",
        "watermark 0",
        "drain",
        "read",
        "read",
        "bundle",
        "1@1",
        "2@2",
        "3@3",
        "close",
        "watermark end",
      ]);
      assert.ok(bench.done);
    });

    it("waits for a reader that needs a while to give what it has taken", async () => {
      const bench = new Bench();
      bench.start();
      assert.deepEqual(bench.drain().slice(0, 2), ["drain", "read"]);
      assert.ok(!bench.done && bench.waitsForSource);
      bench.reads.push({ has: [1], next: "end" });
      bench.head.available();
      bench.run();
      await bench.runLater();
      assert.deepEqual(bench.log.slice(-3), ["1@1", "close", "watermark end"]);
    });

    it("ends although it is idle", async () => {
      const bench = new Bench({ idleAfterMs: 100, followsClock: true });
      bench.start();
      assert.deepEqual(bench.after(100).at(-1), "idle");
      bench.reads.push({ next: "end" });
      bench.drain();
      await bench.runLater();
      assert.deepEqual(bench.log.slice(-2), ["close", "watermark end"]);
    });

    it("goes on with a read that was interrupted", async () => {
      const bench = new Bench({ credits: 1, bundleBytes: 1 });
      bench.reads.push({ has: [1, 2, 3], next: "end" });
      bench.start();
      assert.deepEqual(bench.reads[0].has, [3], "no room for more");
      bench.drain();
      bench.channel.addCredits(1e6);
      bench.run();
      await bench.runLater();
      assert.deepEqual(
        bench.log.filter((each) => each.includes("@")),
        ["1@1", "2@2", "3@3"],
      );
      assert.ok(bench.done);
    });

    it("is told once, before it starts, and not behind its end", async () => {
      const bench = new Bench();
      bench.drain();
      bench.drain();
      assert.deepEqual(bench.log, ["drain"]);
      bench.reads.push({ next: "end" });
      bench.start();
      await bench.runLater();
      assert.ok(bench.done);
      bench.drain();
      assert.deepEqual(bench.log, ["drain", "read", "bundle", "close", "watermark end"]);

      const ended = new Bench();
      ended.reads.push({ next: "end" });
      ended.start();
      ended.drain();
      assert.ok(!ended.log.includes("drain"));
    });
  });

  context("with a time to idle", () => {
    it("is idle after that time without an element, and no longer with the next one", () => {
      const bench = new Bench({ idleAfterMs: 1000 });
      bench.reads.push({ has: [1], next: 600 }, { has: [2], next: Infinity });
      bench.watermark = 1;
      bench.start();
      assert.deepEqual(bench.after(600), ["read", "bundle", "2@2"]);
      assert.deepEqual(bench.after(999), []);
      assert.deepEqual(bench.after(1), ["idle"]);
      assert.deepEqual(bench.after(5000), []);
      bench.reads.push({ has: [3], next: Infinity });
      bench.head.available();
      assert.deepEqual(bench.run(), ["read", "bundle", "3@3", "watermark 1"]);
      assert.deepEqual(bench.after(1000), ["idle"]);
    });

    it("stays idle when a read finds nothing", () => {
      const bench = new Bench({ idleAfterMs: 1000 });
      bench.start();
      assert.deepEqual(bench.after(1000), ["idle"]);
      bench.head.available();
      assert.deepEqual(bench.run(), ["read", "bundle"]);
    });

    it("has nothing to say of the clock while it is idle", () => {
      const bench = new Bench({ idleAfterMs: 100, followsClock: true });
      bench.start();
      bench.after(50);
      assert.deepEqual(bench.after(50), ["idle"]);
      assert.deepEqual(bench.after(500), []);
    });
  });
});
