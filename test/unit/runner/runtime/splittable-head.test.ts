// A task whose stage hands back what it does not finish, on a clock that the test moves. Catches restrictions that come early, late or never,
// watermarks that pass them, input that waits for restrictions without an end, and callbacks of bundles that were not committed.
import assert from "node:assert/strict";
import { UserCodeError, type Residual, type StageContext, type StageExecutor } from "../../../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, type ElementMeta } from "../../../../portability/values/index.js";
import {
  Barrier,
  DEFAULT_RUNTIME_OPTIONS,
  ElementBatch,
  ElementSizer,
  Inbox,
  Outbox,
  OutputChannel,
  Residuals,
  singleStream,
  SplittableHead,
  Task,
  VirtualClock,
  type RuntimeOptions,
} from "../../../../runner/runtime/index.js";
import { at } from "../../../support/stage-driver.js";

/** An element, and what is to happen with it. */
interface Work {
  readonly name: string;
  readonly does: (bench: Bench, meta: ElementMeta, again: (residual?: Partial<Residual>) => void) => void;
}

class Bench {
  readonly log: string[] = [];
  readonly clock = new VirtualClock();
  readonly inbox = new Inbox();
  readonly residuals = new Residuals(this.clock);
  /** Whose barriers it was at. */
  readonly epochs: number[] = [];
  private given = 0;
  context!: StageContext;
  head!: SplittableHead;
  done = false;
  error: unknown;
  turnEnd = Infinity;
  readonly task: Task;
  private readonly port = this.inbox.addPort(() => {});
  private wanted = false;

  constructor(options: Partial<RuntimeOptions> = {}, awaitsEpochs = false) {
    const { log, clock, inbox, residuals } = this;
    const channel = new (class extends OutputChannel {
      override readonly isLocal = true;
      protected override handOver(batch: ElementBatch): void {
        log.push(...batch.values.map(String));
      }
      protected override handOverBarrier(): void {}
      protected override handOverWatermark(watermark: number): void {
        log.push(`watermark ${watermark === MAX_TIMESTAMP ? "end" : watermark}`);
      }
    })(1e6);
    const outbox = new Outbox();
    outbox.addStream("out", singleStream({ channels: [channel], sizer: new ElementSizer(), batchBytes: 1, owner: outbox }));
    this.task = new Task({
      id: "bolt #0",
      componentId: "bolt",
      inbox,
      outbox,
      sideInputs: [],
      clock,
      options: { ...DEFAULT_RUNTIME_OPTIONS, retryDelayMs: 0, ...options },
      owner: {
        wake: () => (this.wanted = true),
        taskDone: () => (this.done = true),
        taskFailed: (_task, error) => (this.error = error),
      },
      onBarrier: (epoch) => this.epochs.push(epoch),
      awaitsEpochs,
    });
    const open = (): StageExecutor => {
      const context = (this.context = this.task.contextFor(["out"], { residuals }));
      return {
        receiver: () => (value, meta) => {
          const { name, does } = value as Work;
          context.outputs.get("out")!(name, meta);
          does(this, meta, (residual) =>
            context.restrictions!.residual({ value, meta, delayMs: 0, watermark: meta.timestamp, isTruncated: false, ...residual }),
          );
        },
        startBundle: () => {},
        blocked: () => undefined,
        finishBundle: () => {},
        abort: () => {},
        elementCounts: () => new Map(),
        close: () => Promise.resolve(),
      };
    };
    const stage = {
      input: "in",
      open: () => Promise.resolve(open()),
      head: (next: (value: unknown, meta: ElementMeta) => void) =>
        (this.head = new SplittableHead(residuals, next, () => (this.wanted = true))),
    };
    this.task.opened(stage, open());
    this.task.start();
  }

  give(...works: readonly (Work & { readonly timestamp?: number })[]): this {
    const batch = new ElementBatch();
    for (const work of works) batch.push(work, at(work.timestamp ?? 0));
    this.given += works.length;
    this.inbox.receive(this.port, batch);
    return this;
  }

  barrier(epoch: number): this {
    this.inbox.receiveBarrier(this.port, new Barrier(epoch, this.given));
    this.task.requestBarrier(epoch);
    return this;
  }

  watermark(timestamp: number): this {
    this.inbox.receiveWatermark(this.port, timestamp);
    return this;
  }

  /** What happens until nobody wants a turn any more, or for so many turns of so many milliseconds. */
  run(turns = Infinity, turnMs = Infinity): string[] {
    const before = this.log.length;
    for (let turn = 0; this.wanted && turn < turns; turn++) {
      this.wanted = false;
      this.turnEnd = performance.now() + turnMs;
      if (this.task.turn(this.turnEnd)) this.wanted = true;
    }
    return this.log.slice(before);
  }

  after(ms: number): string[] {
    this.clock.advance(ms);
    return this.run();
  }

  async settled(): Promise<string[]> {
    const before = this.log.length;
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.run();
    }
    return this.log.slice(before);
  }
}

/** Handed back so many times. */
const times = (name: string, count: number, residual: Partial<Residual> = {}, timestamp = 0): Work & { readonly timestamp: number } => {
  let left = count;
  return { name, timestamp, does: (_bench, _meta, again) => (left-- > 0 ? again(residual) : undefined) };
};
const once = (name: string, timestamp = 0): Work & { readonly timestamp: number } => times(name, 0, {}, timestamp);

describe("a task with restrictions", () => {
  it("goes on with what is handed back, in another bundle", () => {
    const bench = new Bench();
    assert.deepEqual(bench.give(times("a", 2), once("b")).run(), ["a", "b", "a", "a"]);
    assert.equal(bench.task.counts().bundles, 3);
  });

  it("waits until its delay is over, and says what it waits for", () => {
    const bench = new Bench();
    assert.deepEqual(bench.give(times("a", 2, { delayMs: 100 })).run(), ["a"]);
    assert.match(bench.task.describeWait(), /a restriction that is gone on with later/);
    assert.equal(bench.task.waitsForTime, true);
    assert.deepEqual([bench.after(99), bench.after(1), bench.after(99), bench.after(1)], [[], ["a"], [], ["a"]]);
    assert.equal(bench.task.waitsForTime, false);
  });

  it("goes on with those whose delay is over first", () => {
    const bench = new Bench();
    bench.give(times("late", 1, { delayMs: 20 }), times("soon", 1, { delayMs: 10 })).run();
    assert.deepEqual(bench.after(50), ["soon", "late"]);
  });

  it("holds the watermark at that of what is left, and lets it go when nothing is", () => {
    const bench = new Bench();
    bench.give(times("a", 1, { delayMs: 10, watermark: 30 }), times("b", 1, { delayMs: 20, watermark: 40 }));
    assert.deepEqual(bench.watermark(100).run(), ["a", "b", "watermark 30"]);
    assert.deepEqual(
      [bench.after(10), bench.after(10)],
      [
        ["a", "watermark 40"],
        ["b", "watermark 100"],
      ],
    );
  });

  it("moves the watermark although a restriction never ends", () => {
    const bench = new Bench();
    let watermark = 0;
    bench.give({ name: "a", does: (_bench, _meta, again) => again({ watermark: (watermark += 10) }) }).watermark(1000);
    assert.deepEqual(bench.run(6).slice(0, 5), ["a", "watermark 10", "a", "watermark 20", "a"]);
  });

  it("takes input although a restriction never ends and takes the whole of each turn", () => {
    const bench = new Bench();
    const slow: Work = {
      name: "endless",
      does({ turnEnd }, _meta, again) {
        while (performance.now() < turnEnd); // until the turn is over
        again();
      },
    };
    bench.give(slow).run(3, 2);
    bench.give(once("input"));
    const mixed = bench.run(12, 2);
    assert.ok(mixed.includes("input") && mixed.includes("endless"), mixed.join());
  });

  it("takes input although a restriction never ends, and goes on with it although input never ends", () => {
    const bench = new Bench({ bundleElements: 1 });
    bench.give(times("endless", Infinity)).run(3);
    bench.give(once("1"), once("2"), once("3"));
    const mixed = bench.run(12);
    for (const name of ["1", "2", "3", "endless"]) assert.ok(mixed.includes(name), `${name} in ${mixed.join()}`);
    let given = 0;
    const more = { name: "input", does: (each: Bench) => void (given++ < 100 && each.give(more)) };
    bench.give(more);
    const both = bench.run(12);
    assert.ok(both.includes("endless") && both.includes("input"), both.join());
  });

  it("is not done before they are, whatever the time", async () => {
    const bench = new Bench();
    assert.deepEqual(
      bench
        .give(times("a", 1, { delayMs: 1000, watermark: 5 }))
        .watermark(MAX_TIMESTAMP)
        .run(),
      ["a", "watermark 5"],
    );
    assert.deepEqual([bench.after(1000), await bench.settled(), bench.done], [["a"], ["watermark end"], true]);
  });

  it("forgets what a bundle that fails hands back, and gives it what it was given again", async () => {
    const bench = new Bench();
    let failures = 2;
    const failing: Work = {
      name: "f",
      does(_bench, _meta, again) {
        again({ delayMs: 10 });
        if (failures-- > 0) throw new UserCodeError({ transform: "t" }, "failed", new Error("not yet"));
      },
    };
    bench.give(times("a", Infinity, { delayMs: 10 }), failing).run();
    assert.deepEqual([await bench.settled(), bench.residuals.size], [["a", "f"], 2]);
    failures = 1;
    bench.clock.advance(10);
    assert.deepEqual([bench.run(), await bench.settled()], [[], ["a", "f"]]);
    assert.equal(bench.residuals.size, 2);
    assert.equal(bench.error, undefined);
  });

  it("keeps no more of what has come and gone than of what is there", () => {
    const bench = new Bench();
    bench.give(times("stays", Infinity, { delayMs: 1e9, watermark: 1 }), times("passes", 1000, { watermark: 2 })).run();
    const { byWatermark } = bench.residuals as unknown as { byWatermark: { queue: { size: number } } };
    assert.ok(byWatermark.queue.size < 100, `${byWatermark.queue.size}`);
  });

  it("is at a barrier without waiting for restrictions, whether they are due or not, or being worked on", () => {
    const bench = new Bench({ bundleElements: 1 });
    bench.give(times("a", Infinity), times("b", Infinity), times("later", Infinity, { delayMs: 10 })).run(4);
    bench.barrier(1).run(3);
    assert.deepEqual(bench.epochs, [1]);
    assert.equal(bench.residuals.size, 3);
  });

  describe("when the job is drained", () => {
    it("has each restriction truncated once, at once, and then goes on with it in its own time", () => {
      const bench = new Bench();
      const work: Work = {
        name: "a",
        does({ context, log }, _meta, again) {
          const truncation = context.restrictions!.truncation(work);
          log.push(truncation);
          const isOver = log.filter((each) => each === "done").length === 2;
          if (!isOver) again({ delayMs: 100, isTruncated: truncation !== "none" });
        },
      };
      assert.deepEqual(bench.give(work).run(), ["none", "a"]);
      bench.head.beginDrain();
      assert.deepEqual([bench.run(), bench.after(99), bench.after(1), bench.after(100)], [["due", "a"], [], ["done", "a"], ["done", "a"]]);
    });

    it("truncates what comes later, too", () => {
      const bench = new Bench();
      bench.head.beginDrain();
      let truncation = "";
      const work: Work = { name: "a", does: ({ context }) => void (truncation = context.restrictions!.truncation(work)) };
      bench.give(work).run();
      assert.equal(truncation, "due");
    });
  });

  describe("calls back when a bundle is committed", () => {
    const asking = (name: string, callback: () => void | Promise<void>, fails = (): boolean => false): Work => ({
      name,
      does({ context }) {
        context.onCommitted!(callback, 1000);
        if (fails()) throw new UserCodeError({ transform: "t" }, "failed", new Error("not yet"));
      },
    });

    it("once, and not for one that has failed", async () => {
      const bench = new Bench();
      let failures = 1;
      const called: string[] = [];
      bench.give(
        asking(
          "a",
          () => void called.push(bench.log.join()),
          () => failures-- > 0,
        ),
      );
      bench.run();
      await bench.settled();
      assert.deepEqual(called, ["a"]);
    });

    it("or when the epoch behind it is published, where there are checkpoints", async () => {
      const bench = new Bench({}, true);
      const called: number[] = [];
      bench.give(asking("a", () => void called.push(bench.epochs.length))).run();
      bench.barrier(1).run();
      await bench.settled();
      assert.deepEqual([called, bench.epochs], [[], [1]]);
      bench.task.published(1);
      await bench.settled();
      assert.deepEqual(called, [1]);
    });

    it("at the end, too, when the last epoch is published", async () => {
      const bench = new Bench({}, true);
      let called = false;
      bench
        .give(asking("a", () => void (called = true)))
        .watermark(MAX_TIMESTAMP)
        .run();
      await bench.settled();
      assert.deepEqual([bench.done, called], [true, false]);
      bench.task.requestBarrier(7);
      bench.task.published(7);
      await bench.task.stop();
      assert.equal(called, true);
    });

    it("before the task is done", async () => {
      const bench = new Bench();
      let release = (): void => {};
      const callback = (): Promise<void> => new Promise((resolve) => (release = resolve));
      bench.give(asking("a", callback)).watermark(MAX_TIMESTAMP).run();
      await bench.settled();
      assert.equal(bench.done, false);
      release();
      await bench.settled();
      assert.equal(bench.done, true);
    });

    it("and fails with them", async () => {
      const bench = new Bench();
      bench.give(asking("a", () => Promise.reject(new Error("nobody there")))).run();
      await bench.settled();
      assert.match(String(bench.error), /nobody there/);
    });
  });
});
