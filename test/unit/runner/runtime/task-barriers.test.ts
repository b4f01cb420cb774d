// One task at the barriers of its input (T10). Catches snapshots in the middle of a bundle, of elements whose end is still to be taken, and
// barriers that go on too early, too late, or not at all.
import assert from "node:assert/strict";
import type { StageExecutor } from "../../../../portability/stage-host/index.js";
import { IMPULSE_META, MAX_TIMESTAMP, type Receiver } from "../../../../portability/values/index.js";
import {
  DEFAULT_RUNTIME_OPTIONS,
  ElementBatch,
  ElementSizer,
  Inbox,
  LocalChannel,
  Outbox,
  OutputChannel,
  RelayHead,
  singleStream,
  systemClock,
  Task,
  type HeadOperator,
} from "../../../../runner/runtime/index.js";
import type { Barrier } from "../../../../runner/runtime/barrier.js";
import { Deferred, settle } from "../../../support/stage-driver.js";

class Bench {
  readonly log: string[] = [];
  readonly inbox = new Inbox();
  readonly task: Task;
  readonly channel: OutputChannel;
  head!: RelayHead & { held: number };
  /** What the executor is blocked by behind each element. */
  blockedBy: Deferred<void> | undefined;
  done = false;
  error: unknown;

  constructor(credits = 1e6) {
    const { log } = this;
    this.channel = new (class extends OutputChannel {
      override readonly isLocal = true;
      protected override handOver(batch: ElementBatch): void {
        this.credits -= batch.bytes;
        log.push(`sent ${batch.values.join()}`);
      }
      protected override handOverBarrier({ epoch, elements, isEnd }: Barrier): void {
        if (!isEnd) log.push(`barrier ${epoch} behind ${elements}`);
      }
      protected override handOverWatermark(watermark: number): void {
        log.push(`watermark ${watermark === MAX_TIMESTAMP ? "end" : watermark}`);
      }
    })(credits);
    const outbox = new Outbox();
    outbox.addStream("out", singleStream({ channels: [this.channel], sizer: new ElementSizer(), batchBytes: 1000, owner: outbox }));
    this.task = new Task({
      id: "bolt #0",
      componentId: "bolt",
      inbox: this.inbox,
      outbox,
      sideInputs: [],
      clock: systemClock,
      options: DEFAULT_RUNTIME_OPTIONS,
      owner: { wake: () => {}, taskDone: () => (this.done = true), taskFailed: (_task, error) => (this.error = error) },
      onBarrier: (epoch) => log.push(`frozen ${epoch} at ${this.task.watermark === MAX_TIMESTAMP ? "end" : this.task.watermark}`),
    });
  }

  /** Behind the wiring of the inbox. */
  open(): this {
    const receive = this.task.contextFor(["out"]).outputs.get("out")!;
    const executor: StageExecutor = {
      receiver: () => receive,
      startBundle: () => {},
      blocked: () => this.blockedBy?.promise,
      finishBundle: () => void this.log.push("finish"),
      abort: () => {},
      elementCounts: () => new Map(),
      close: () => Promise.resolve(),
    };
    const head = (next: Receiver): HeadOperator => {
      const relay = Object.assign(new RelayHead(next), { held: MAX_TIMESTAMP });
      relay.hold = () => relay.held;
      return (this.head = relay);
    };
    this.task.opened({ input: "in", open: () => Promise.resolve(executor), head }, executor);
    return this;
  }

  /** Gives turns until nothing more happens; what happened meanwhile. */
  turn(): string[] {
    while (this.task.turn(Infinity));
    assert.equal(this.error, undefined);
    return this.log.splice(0);
  }
}

function batchOf(...values: unknown[]): ElementBatch {
  const batch = new ElementBatch();
  for (const value of values) batch.push(value, IMPULSE_META);
  return batch;
}

describe("a task at a barrier", () => {
  it("ends its bundle, is frozen, and passes the barrier on behind its output and before what comes next", () => {
    const bench = new Bench();
    const channels = [0, 1].map(() => new LocalChannel(bench.inbox, 1e6));
    bench.open().task.start();
    channels[0].send(batchOf("a"));
    channels[0].sendBarrier(1);
    channels[0].send(batchOf("z"));
    channels[1].send(batchOf("b"));
    assert.deepEqual(bench.turn(), ["finish", "sent a,b"]);
    channels[1].send(batchOf("c"));
    channels[1].sendWatermark(5);
    channels[1].sendBarrier(1);
    assert.deepEqual(bench.turn(), [
      "finish",
      "sent c",
      "frozen 1 at " + String(bench.task.watermark),
      "barrier 1 behind 3",
      "finish",
      "sent z",
    ]);
  });

  it("lets a watermark take effect first that has come before the barrier", () => {
    const bench = new Bench();
    const channel = new LocalChannel(bench.inbox, 1e6);
    bench.open().task.start();
    channel.sendWatermark(5);
    channel.sendBarrier(1);
    channel.sendWatermark(6);
    assert.deepEqual(bench.turn(), ["watermark 5", "frozen 1 at 5", "barrier 1 behind 0", "watermark 6"]);
  });

  it("passes it on behind what waits for room", () => {
    const bench = new Bench(1);
    const channel = new LocalChannel(bench.inbox, 1e6);
    bench.open().task.start();
    for (const value of ["a", "b"]) {
      channel.send(batchOf(value));
      bench.turn();
    }
    channel.sendBarrier(1);
    assert.deepEqual(bench.turn(), [], "nothing else is done before there is room");
    bench.channel.addCredits(1000);
    assert.deepEqual(bench.turn(), ["sent b", `frozen 1 at ${bench.task.watermark}`, "barrier 1 behind 2"]);
  });

  it("is there when it is asked, if no channel is left that could bring it, and answers at its end", async () => {
    const bench = new Bench();
    const channel = new LocalChannel(bench.inbox, 1e6);
    bench.open().task.start();
    bench.task.requestBarrier(1);
    bench.turn();
    channel.sendWatermark(MAX_TIMESTAMP);
    assert.deepEqual(bench.turn(), ["frozen 1 at end", "barrier 1 behind 0"]);
    await settle();
    assert.deepEqual(bench.turn(), ["watermark end"]);
    bench.task.requestBarrier(2);
    assert.deepEqual(bench.turn(), ["frozen 2 at end"]);
    assert.ok(bench.done);
  });

  it("does not hear of an epoch that barriers have told of before", () => {
    const bench = new Bench();
    const channel = new LocalChannel(bench.inbox, 1e6);
    bench.open().task.start();
    channel.sendBarrier(1);
    assert.equal(bench.turn().length, 2);
    bench.task.requestBarrier(1);
    assert.deepEqual(bench.turn(), []);
    channel.sendBarrier(2);
    bench.task.requestBarrier(2);
    assert.equal(bench.turn().length, 2);
  });

  describe("fed by an impulse", () => {
    const fed = (): Bench => {
      const bench = new Bench();
      const port = bench.inbox.addFeed();
      bench.inbox.receive(port, batchOf("impulse"));
      bench.inbox.receiveWatermark(port, MAX_TIMESTAMP);
      bench.open().task.start();
      return bench;
    };

    it("is frozen with the end of its input, or before the element, never in between: it would come twice", async () => {
      const bench = fed();
      bench.blockedBy = new Deferred();
      assert.deepEqual(bench.turn(), []);
      bench.task.requestBarrier(1); // the element is being processed
      assert.deepEqual(bench.turn(), []);
      bench.blockedBy.resolve();
      bench.blockedBy = undefined;
      await settle();
      assert.deepEqual(bench.turn(), ["finish", "sent impulse", "frozen 1 at end", "barrier 1 behind 1"]);
    });
  });

  it("that goes on from another run tells what it had told those who have not heard of it", () => {
    const bench = new Bench();
    const channel = new LocalChannel(bench.inbox, 1e6);
    bench.open();
    bench.head.held = 7;
    bench.task.goOnFrom(10);
    bench.task.start();
    assert.deepEqual(bench.turn(), ["watermark 7"]);
    channel.sendWatermark(10);
    assert.deepEqual(bench.turn(), []);
  });

  it("that had come to its end in another run says so, and answers", () => {
    const bench = new Bench();
    bench.task.goOnFromEnd();
    bench.task.start();
    assert.deepEqual(bench.turn(), ["watermark end"]);
    assert.ok(bench.done);
    bench.task.requestBarrier(3);
    assert.deepEqual(bench.turn(), ["frozen 3 at end"]);
  });
});
