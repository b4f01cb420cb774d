// One task between an inbox and a channel that the test plays by hand. Catches bundles left open, watermarks that overtake a
// bundle, elements delivered while the executor is blocked or the outbox full, and tasks that end too early.
import assert from "node:assert/strict";
import type { StageExecutor } from "../../../../portability/stage-host/index.js";
import { IMPULSE_META, MAX_TIMESTAMP, type Receiver } from "../../../../portability/values/index.js";
import {
  DEFAULT_RUNTIME_OPTIONS,
  ElementBatch,
  ElementSizer,
  Inbox,
  Outbox,
  RelayHead,
  OutputChannel,
  singleStream,
  systemClock,
  Task,
  type HeadOperator,
  type RemoteStage,
  type RuntimeOptions,
} from "../../../../runner/runtime/index.js";
import { IDLE } from "../../../../runner/runtime/watermark-coalescer.js";

interface Gate {
  readonly promise: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

/** A task whose executor passes elements on, and everything that happens to it in one list. */
class Bench {
  readonly log: string[] = [];
  readonly inbox = new Inbox();
  readonly task: Task;
  readonly channel: OutputChannel;
  blockedBy: Gate | undefined;
  finishing: Gate | undefined;
  closing: Gate | undefined;
  /** What the head holds the watermark at. */
  holdAt = MAX_TIMESTAMP;
  done = false;
  error: unknown;
  private readonly port = this.inbox.addPort(() => {});

  constructor(options: Partial<RuntimeOptions> = {}, credits = 1e6, remote?: RemoteStage) {
    const { log } = this;
    this.channel = new (class extends OutputChannel {
      override readonly isLocal = true;
      protected override handOver(batch: ElementBatch): void {
        this.credits -= batch.bytes;
        log.push(`sent ${batch.values.join()}`);
      }
      protected override handOverBarrier(): void {}

      protected override handOverWatermark(watermark: number): void {
        log.push(`watermark ${watermark === MAX_TIMESTAMP ? "end" : watermark}`);
      }
    })(credits);
    const outbox = new Outbox(options.bundleBytes);
    outbox.addStream("out", singleStream({ channels: [this.channel], sizer: new ElementSizer(), batchBytes: 1000, owner: outbox }));
    this.task = new Task({
      id: "bolt #0",
      componentId: "bolt",
      inbox: this.inbox,
      outbox,
      sideInputs: [],
      clock: systemClock,
      options: { ...DEFAULT_RUNTIME_OPTIONS, ...options },
      remote,
      owner: { wake: () => {}, taskDone: () => (this.done = true), taskFailed: (_task, error) => (this.error = error) },
    });
    const receive = this.task.contextFor(["out"]).outputs.get("out")!;
    const executor: StageExecutor = {
      receiver: () => (value, meta) => {
        log.push(`element ${String(value)}`);
        receive(value, meta);
      },
      startBundle: () => void log.push("start"),
      blocked: () => this.blockedBy?.promise,
      finishBundle: () => {
        log.push("finish");
        return this.finishing?.promise;
      },
      abort: () => void log.push("abort"),
      elementCounts: () => new Map(),
      close: async () => {
        log.push("close");
        await this.closing?.promise;
      },
    };
    const head = (next: Receiver): HeadOperator => {
      const relay = new RelayHead(next);
      relay.hold = () => this.holdAt;
      return relay;
    };
    this.task.opened({ input: "in", open: () => Promise.resolve(executor), head }, executor);
    this.task.start();
  }

  input(...values: string[]): this {
    const batch = new ElementBatch();
    for (const value of values) batch.push(value, IMPULSE_META);
    this.inbox.receive(this.port, batch);
    return this;
  }

  watermark(watermark: number): this {
    this.inbox.receiveWatermark(this.port, watermark);
    return this;
  }

  /** Gives turns until the task has nothing more to do; what happened meanwhile. */
  turn(): string[] {
    const before = this.log.length;
    while (this.task.turn(Infinity));
    return this.log.slice(before);
  }

  /** As {@link turn}, after promises that have settled had their effect. */
  async turnLater(): Promise<string[]> {
    const before = this.log.length;
    await new Promise((resolve) => setImmediate(resolve));
    this.turn();
    return this.log.slice(before);
  }
}

describe("Task with idle input", () => {
  it("is idle itself behind what it has put out, and active with the next watermark", () => {
    const bench = new Bench();
    bench.input("a").watermark(5).watermark(IDLE);
    assert.deepEqual(bench.turn(), ["start", "element a", "finish", "sent a", "watermark 5", "watermark Infinity"]);
    bench.watermark(6);
    assert.deepEqual(bench.turn(), ["watermark 6"]);
  });

  it("is active again with an element, and idle only when it is told so anew", () => {
    const bench = new Bench();
    bench.watermark(5).watermark(IDLE).turn();
    bench.input("b");
    assert.deepEqual(bench.turn(), ["start", "element b", "finish", "sent b", "watermark 5"]);
    bench.watermark(IDLE);
    assert.deepEqual(bench.turn(), ["watermark Infinity"]);
  });

  it("is not idle while its head holds something back", () => {
    const bench = new Bench();
    bench.holdAt = 3;
    bench.watermark(5).watermark(IDLE);
    assert.deepEqual(bench.turn(), ["watermark 3"]);
  });
});

describe("Task", () => {
  it("runs what is there in one bundle and closes it when nothing more waits", () => {
    const bench = new Bench().input("a", "b").input("c");
    assert.deepEqual(bench.turn(), ["start", "element a", "element b", "element c", "finish", "sent a,b,c"]);
    assert.deepEqual(bench.turn(), []);
  });

  it("gives the others a turn before it ends a bundle of another process for want of input, and ends it if that brings nothing", () => {
    const bench = new Bench({}, 1e6, { isAwaited: false }).input("a");
    assert.equal(bench.task.turn(Infinity), true);
    bench.input("b");
    assert.equal(bench.task.turn(Infinity), true);
    assert.deepEqual(bench.log, ["start", "element a", "element b"]);
    assert.equal(bench.task.turn(Infinity), false);
    assert.deepEqual(bench.log.slice(3), ["finish", "sent a,b"]);
  });

  it("ends a bundle at its number of elements", () => {
    const bench = new Bench({ bundleElements: 2 }).input("a", "b", "c");
    assert.deepEqual(bench.turn(), ["start", "element a", "element b", "finish", "sent a,b", "start", "element c", "finish", "sent c"]);
  });

  it("closes the bundle before a watermark takes effect, and passes it on behind the output", () => {
    const bench = new Bench().input("a").watermark(5).input("b").watermark(7);
    assert.deepEqual(bench.turn(), [
      "start",
      "element a",
      "finish",
      "sent a",
      "watermark 5",
      "start",
      "element b",
      "finish",
      "sent b",
      "watermark 7",
    ]);
  });

  it("waits for an asynchronous end of a bundle, with watermark and input", async () => {
    const bench = new Bench().input("a").watermark(5).input("b");
    bench.finishing = gate();
    assert.deepEqual(bench.turn(), ["start", "element a", "finish"]);
    assert.deepEqual(await bench.turnLater(), []);
    assert.ok(bench.task.waitsForUser);
    bench.finishing.open();
    bench.finishing = undefined;
    assert.deepEqual(await bench.turnLater(), ["sent a", "watermark 5", "start", "element b", "finish", "sent b"]);
  });

  it("delivers nothing while the executor is blocked", async () => {
    const bench = new Bench().input("a", "b");
    const blocked = (bench.blockedBy = gate());
    assert.deepEqual(bench.turn(), ["start", "element a"]);
    assert.deepEqual(await bench.turnLater(), []);
    bench.blockedBy = undefined;
    blocked.open();
    assert.deepEqual(await bench.turnLater(), ["element b", "finish", "sent a,b"]);
  });

  it("delivers nothing while its output is full", () => {
    const large = "x".repeat(1000);
    const bench = new Bench({ bundleBytes: 1 }, 1).input(large, large, "small");
    bench.turn();
    assert.deepEqual(
      bench.log.map((entry) => entry.slice(0, 9)),
      ["start", "element x", "finish", "sent xxxx", "start", "element x", "finish"],
    );
    assert.equal(bench.task.describeWait(), "room for 1024 bytes of output");
    bench.channel.addCredits(3000);
    assert.deepEqual(
      bench.turn().map((entry) => entry.slice(0, 9)),
      ["start", "element s", "finish", "sent smal"],
    );
  });

  it("closes the executor at the end of input, then sends the last watermark, then is done", async () => {
    const bench = new Bench().input("a").watermark(MAX_TIMESTAMP);
    bench.closing = gate();
    assert.deepEqual(bench.turn(), ["start", "element a", "finish", "sent a", "close"]);
    bench.closing.open();
    assert.deepEqual(await bench.turnLater(), ["watermark end"]);
    assert.ok(bench.done);
  });

  it("is not done before its output has gone", async () => {
    const bench = new Bench({ bundleBytes: 1 }, 1).input("x".repeat(1000), "y").watermark(MAX_TIMESTAMP);
    bench.turn();
    await bench.turnLater();
    assert.ok(!bench.done);
    bench.channel.addCredits(5000);
    bench.turn();
    await bench.turnLater();
    assert.ok(bench.done);
    assert.deepEqual(bench.log.slice(-3), ["sent y", "close", "watermark end"]);
  });

  it("reports the error of a rejected bundle", async () => {
    const bench = new Bench().input("a");
    bench.finishing = { promise: Promise.reject(new Error("no")), open: () => {} };
    bench.turn();
    await bench.turnLater();
    assert.equal((bench.error as Error).message, "no");
  });

  it("aborts and closes the executor once when stopped", async () => {
    const bench = new Bench().input("a");
    await bench.task.stop();
    await bench.task.stop();
    assert.deepEqual(bench.turn(), []);
    assert.deepEqual(bench.log, ["abort", "close"]);
  });
});
