// A task whose stage fails as the test says (design D5). Catches output of failed attempts that is seen, elements that are lost or given
// twice by a retry, watermarks that overtake one, attempts beyond the limit, and errors that do not say what they are about.
import assert from "node:assert/strict";
import { PermanentError, UserCodeError, type StageContext, type StageExecutor } from "../../../../portability/stage-host/index.js";
import {
  ElementMeta,
  IMPULSE_META,
  IntervalWindow,
  kv,
  MAX_TIMESTAMP,
  NO_FIRING,
  type KV,
  type Receiver,
} from "../../../../portability/values/index.js";
import {
  DEFAULT_RUNTIME_OPTIONS,
  ElementBatch,
  ElementSizer,
  Inbox,
  Outbox,
  OutputChannel,
  singleStream,
  systemClock,
  Task,
  type HeadOperator,
  type RuntimeOptions,
} from "../../../../runner/runtime/index.js";

const failure = (message = "no", element?: string): UserCodeError =>
  new UserCodeError({ transform: "t", ...(element === undefined ? {} : { element }) }, "failed", new Error(message));

/** What the stage of a {@link Bench} does; each may throw, or give a promise. */
interface Stage {
  open?(): void;
  start?(): void | Promise<void>;
  element?(value: unknown): void;
  blocked?(): Promise<void> | undefined;
  finish?(): void | Promise<void>;
}

class NotingChannel extends OutputChannel {
  override readonly isLocal = true;

  constructor(private readonly log: string[]) {
    super(1e6);
  }

  protected override handOver(batch: ElementBatch): void {
    this.log.push(`sent ${batch.values.map(nameOf).join()}`);
  }

  protected override handOverBarrier(): void {}

  protected override handOverWatermark(watermark: number): void {
    this.log.push(`watermark ${watermark === MAX_TIMESTAMP ? "end" : watermark}`);
  }
}

const nameOf = (value: unknown): string => (typeof value === "string" ? value : String((value as KV<unknown, unknown>).key));

/** A task whose executors pass elements on, and everything that happens to it in one list. */
class Bench {
  readonly log: string[] = [];
  readonly inbox = new Inbox();
  readonly task: Task;
  error: unknown;
  context!: StageContext;
  private readonly port = this.inbox.addPort(() => {});

  private constructor(
    private readonly stage: Stage,
    options: Partial<RuntimeOptions>,
  ) {
    const { log } = this;
    const outbox = new Outbox(options.bundleBytes);
    outbox.addStream(
      "out",
      singleStream({ channels: [new NotingChannel(log)], sizer: new ElementSizer(), batchBytes: 100, owner: outbox }),
    );
    const note = (what: string) => (): void => void log.push(what);
    this.task = new Task({
      id: "bolt #0",
      componentId: "bolt",
      inbox: this.inbox,
      outbox,
      sideInputs: [],
      clock: systemClock,
      options: { ...DEFAULT_RUNTIME_OPTIONS, retryDelayMs: 0, bundleMs: Infinity, ...options },
      owner: { wake: () => {}, taskDone: note("done"), taskFailed: (_task, error) => (this.error = error) },
      participants: [{ begin: note("begin"), commit: note("commit"), rollback: note("rollback") }],
    });
  }

  static async open(stage: Stage, options: Partial<RuntimeOptions> = {}, head?: HeadOf): Promise<Bench> {
    const bench = new Bench(stage, options);
    await bench.task.open({
      input: "in",
      late: "late",
      open: () => bench.newExecutor(),
      isKeyed: true,
      ...(head === undefined ? {} : { head }),
    });
    bench.task.start();
    bench.log.length = 0;
    return bench;
  }

  input(...values: unknown[]): this {
    return this.inputAt(IMPULSE_META, ...values);
  }

  inputAt(meta: ElementMeta, ...values: unknown[]): this {
    const batch = new ElementBatch();
    for (const value of values) batch.push(value, meta);
    this.inbox.receive(this.port, batch);
    return this;
  }

  watermark(watermark: number): this {
    this.inbox.receiveWatermark(this.port, watermark);
    return this;
  }

  /** Gives turns until nothing more happens by itself; what happened meanwhile. */
  async turns(): Promise<string[]> {
    const before = this.log.length;
    for (let quiet = 0; quiet < 3 && this.error === undefined; quiet++) {
      const length = this.log.length;
      while (this.task.turn(Infinity) && this.error === undefined);
      await new Promise((resolve) => setImmediate(resolve));
      if (this.log.length > length) quiet = 0;
    }
    return this.log.slice(before);
  }

  get message(): string {
    return this.error instanceof Error ? this.error.message : "";
  }

  private newExecutor(): Promise<StageExecutor> {
    const { log, stage } = this;
    log.push("open");
    this.context = this.task.contextFor(["out"]);
    const emit = this.context.outputs.get("out")!;
    const executor: StageExecutor = {
      receiver: (pcollection) => (value, meta) => {
        log.push(`${pcollection === "late" ? "late" : "element"} ${nameOf(value)}`);
        emit(value, meta);
        stage.element?.(value);
      },
      startBundle: () => {
        log.push("start");
        return stage.start?.();
      },
      blocked: () => stage.blocked?.(),
      finishBundle: () => {
        log.push("finish");
        return stage.finish?.();
      },
      abort: () => void log.push("abort"),
      elementCounts: () => new Map(),
      close: async () => void log.push("close"),
    };
    return Promise.resolve(executor).then((opened) => {
      stage.open?.();
      return opened;
    });
  }
}

type HeadOf = (stage: Receiver, late: Receiver) => HeadOperator;

/** Fails the first `times` times that it is asked. */
const failing = (times: number, error: () => Error = failure) => {
  let failures = 0;
  return (): void => {
    if (failures++ < times) throw error();
  };
};

const ATTEMPT = ["begin", "start", "element a", "element b"];
const AGAIN = ["rollback", "abort", "close", "open"];
const COMMIT = ["finish", "sent a,b", "commit"];

describe("Task, when its stage fails", () => {
  it("drops what the bundle put out and gives its elements to a new executor", async () => {
    const fail = failing(1);
    const bench = await Bench.open({ element: (value) => (value === "b" ? fail() : undefined) });
    assert.deepEqual(await bench.input("a", "b").turns(), [...ATTEMPT, ...AGAIN, ...ATTEMPT, ...COMMIT]);
    assert.equal(bench.task.counts().retries, 1);
    assert.equal(bench.task.counts().bundles, 1);
    assert.equal(bench.task.counts().elementsIn, 2);
  });

  it("does so wherever in the bundle it fails, at once or later", async () => {
    const reject = (fail: () => void) => () => Promise.resolve().then(fail);
    for (const [name, stage] of Object.entries<Stage>({
      "end of a bundle": { finish: failing(1) },
      "end of a bundle, later": { finish: reject(failing(1)) },
    }))
      assert.deepEqual(
        await (await Bench.open(stage)).input("a", "b").turns(),
        [...ATTEMPT, "finish", ...AGAIN, ...ATTEMPT, ...COMMIT],
        name,
      );
    for (const start of [failing(1), reject(failing(1))])
      assert.deepEqual(await (await Bench.open({ start })).input("a", "b").turns(), [
        "begin",
        "start",
        ...AGAIN,
        "begin",
        "start",
        "finish",
        "commit", // of no element: none had been taken
        ...ATTEMPT,
        ...COMMIT,
      ]);
    const fail = failing(1);
    let asked = 0;
    const blocked = (): Promise<void> | undefined => (asked++ === 0 ? Promise.resolve().then(fail) : undefined);
    assert.deepEqual(await (await Bench.open({ blocked })).input("a", "b").turns(), [
      ...ATTEMPT.slice(0, 3),
      ...AGAIN,
      ...ATTEMPT.slice(0, 3),
      "finish",
      "sent a",
      "commit",
      "begin",
      "start",
      "element b",
      "finish",
      "sent b",
      "commit",
    ]);
  });

  it("takes nothing else, and moves no watermark, before the bundle is done", async () => {
    const fail = failing(2);
    const bench = await Bench.open({ finish: fail });
    const happened = await bench.input("a", "b").watermark(5).input("c").turns();
    assert.deepEqual(
      happened.slice(-8),
      [...COMMIT, "watermark 5", "begin", "start", "element c", "finish"].concat("sent c", "commit").slice(-8),
    );
    assert.ok(happened.indexOf("watermark 5") > happened.lastIndexOf("sent a,b"));
    assert.equal(happened.filter((each) => each === "open").length, 2);
  });

  it("tries so many times, the last time element by element, and says which one it was", async () => {
    const bench = await Bench.open({ element: (value) => (value === "b" ? failing(1)() : undefined) }, { bundleAttempts: 3 });
    const happened = await bench.input("a", "b", "c").turns();
    assert.deepEqual(happened.slice(-9), ["begin", "start", "element a", "finish", "sent a", "commit", "begin", "start", "element b"]);
    assert.equal(happened.filter((each) => each === "element b").length, 3);
    assert.ok(!happened.includes("element c"));
    assert.ok(bench.error instanceof UserCodeError);
    assert.equal(bench.message, 'failed in transform "t": no (element "b", key undefined, window global, 3 attempts)');
    assert.equal(bench.error.summary, 'failed in transform "t": no');
  });

  it("finds the element whose failure shows at the end of the bundle only", async () => {
    let poisoned = false;
    const bench = await Bench.open({
      start: () => void (poisoned = false),
      element: (value) => void (poisoned ||= nameOf(value) === "bad"),
      finish: () => (poisoned ? failing(1)() : undefined),
    });
    const window = new IntervalWindow(0, 60_000);
    bench.inputAt(new ElementMeta(5, [window], NO_FIRING), kv("good", 1), kv("bad", 2), kv("worse", 3));
    await bench.turns();
    assert.equal(
      bench.message,
      'failed in transform "t": no (element {key: "bad", value: 2}, key "bad", ' +
        "window [1970-01-01T00:00:00.000Z, 1970-01-01T00:01:00.000Z), 4 attempts)",
    );
  });

  it("keeps the element that the stage itself names", async () => {
    const bench = await Bench.open({ element: failing(9, () => failure("no", "inner")) }, { bundleAttempts: 2 });
    await bench.input("a").turns();
    assert.match(bench.message, /\(element inner, key undefined, window global, 2 attempts\)$/);
  });

  it("does not try again what is no failure of user code, or one that the author calls permanent", async () => {
    const permanent = new UserCodeError({ transform: "t" }, "failed", new PermanentError("never"));
    for (const error of [new Error("runtime"), permanent]) {
      const bench = await Bench.open({ element: failing(1, () => error) });
      assert.deepEqual(await bench.input("a").turns(), ["begin", "start", "element a"]);
      assert.equal(bench.message, error.message);
    }
  });

  it("tries nothing again where one attempt is all", async () => {
    const bench = await Bench.open({ element: failing(1) }, { bundleAttempts: 1 });
    assert.deepEqual(await bench.input("a").turns(), ["begin", "start", "element a"]);
    assert.match(bench.message, /1 attempt\)$/);
  });

  it("counts a set-up that fails as an attempt", async () => {
    let opened = 0;
    const stage = { finish: failing(1), open: () => (++opened === 2 ? failing(1, () => failure("set-up"))() : undefined) };
    const bench = await Bench.open(stage, { bundleAttempts: 3 });
    const happened = await bench.input("a", "b").turns();
    // The third attempt is the last one: element by element.
    assert.deepEqual(
      happened.filter((each) => each.startsWith("sent") || each === "open"),
      ["open", "open", "sent a", "sent b"],
    );
    assert.equal(bench.error, undefined);
  });

  it("gives groups again, and says whose key it was", async () => {
    const groups = ["a", "b", "c"].map((key) => kv(key, [1]));
    let left = [...groups];
    const head: HeadOf = (stage) => ({
      process: () => {},
      advance: () => {},
      deadline: Infinity,
      advanceTime: () => {},
      get draining() {
        return left.length > 0;
      },
      drain: (pause) => {
        while (left.length > 0) {
          if (pause()) return false;
          stage(left.shift(), IMPULSE_META);
        }
        return true;
      },
      hold: () => MAX_TIMESTAMP,
      droppedLate: 0,
      droppedClosed: 0,
    });
    const fail = failing(1);
    const bench = await Bench.open({ element: (value) => (nameOf(value) === "b" ? fail() : undefined) }, {}, head);
    assert.deepEqual(
      (await bench.turns()).filter((each) => !AGAIN.includes(each)),
      [...ATTEMPT, ...ATTEMPT, ...COMMIT, "begin", "start", "element c", "finish", "sent c", "commit"],
    );
    left = [...groups];
    const poisoned = await Bench.open({ element: (value) => (nameOf(value) === "b" ? failing(1)() : undefined) }, {}, head);
    await poisoned.turns();
    assert.match(poisoned.message, /element \{key: "b", value: \[1\]\}, key "b", window global, 4 attempts/);
  });

  it("waits for nothing of an executor that has failed, whatever it was blocked by", async () => {
    const left = ["a", "b"];
    const head: HeadOf = (stage) => ({
      process: () => {},
      advance: () => {},
      deadline: Infinity,
      advanceTime: () => {},
      get draining() {
        return left.length > 0;
      },
      drain: (pause) => {
        for (pause(); left.length > 0; pause()) stage(left.shift(), IMPULSE_META); // ends soon after it should, like a source
        return true;
      },
      hold: () => MAX_TIMESTAMP,
      droppedLate: 0,
      droppedClosed: 0,
    });
    const fail = failing(1);
    let asked = 0;
    const blocked = (): Promise<void> | undefined => (asked++ === 1 ? Promise.reject(failure("blocked")) : undefined);
    const bench = await Bench.open({ blocked, element: (value) => (value === "b" ? fail() : undefined) }, {}, head);
    assert.deepEqual(await bench.turns(), [...ATTEMPT, ...AGAIN, ...ATTEMPT, ...COMMIT]);
    assert.equal(bench.task.counts().retries, 1);
  });

  it("waits for a blocked stage behind the last element of a head before it takes anything else", async () => {
    const left = ["a"];
    const head: HeadOf = (stage) => ({
      process: stage,
      relays: true,
      advance: () => {},
      deadline: Infinity,
      advanceTime: () => {},
      get draining() {
        return left.length > 0;
      },
      drain: (pause) => {
        if (!pause()) stage(left.shift(), IMPULSE_META);
        return left.length === 0;
      },
      hold: () => MAX_TIMESTAMP,
      droppedLate: 0,
      droppedClosed: 0,
    });
    let goOn = (): void => {};
    let pending: Promise<void> | undefined;
    const element = (value: unknown): void => {
      if (value === "a") pending = new Promise<void>((resolve) => (goOn = resolve)).then(() => void (pending = undefined));
    };
    const bench = await Bench.open({ element, blocked: () => pending }, {}, head);
    assert.deepEqual(await bench.input("b").turns(), ATTEMPT.slice(0, 3));
    goOn();
    assert.deepEqual(await bench.turns(), ["element b", ...COMMIT]);
  });

  it("gives what came too late again to where that goes", async () => {
    const left = ["a", "b"];
    const head: HeadOf = (stage, late) => ({
      process: () => {},
      advance: () => {},
      deadline: Infinity,
      advanceTime: () => {},
      get draining() {
        return left.length > 0;
      },
      drain: (pause) => {
        while (left.length > 0) {
          if (pause()) return false;
          (left.length === 2 ? late : stage)(left.shift(), IMPULSE_META);
        }
        return true;
      },
      hold: () => MAX_TIMESTAMP,
      droppedLate: 0,
      droppedClosed: 0,
    });
    const bench = await Bench.open({ finish: failing(1) }, {}, head);
    const attempt = ["begin", "start", "late a", "element b", "finish"];
    assert.deepEqual(await bench.turns(), [...attempt, ...AGAIN, ...attempt, "sent a,b", "commit"]);
  });

  it("ends a bundle early whose output is large", async () => {
    const bench = await Bench.open({}, { bundleBytes: 100 });
    const large = "x".repeat(100);
    const happened = (await bench.input(large, "b").turns()).map((each) => each.slice(0, 9));
    assert.deepEqual(happened, [
      "begin",
      "start",
      "element x",
      "finish",
      "sent xxxx",
      "commit",
      "begin",
      "start",
      "element b",
      "finish",
      "sent b",
      "commit",
    ]);
  });

  it("lets go of what a single element puts out beyond all bounds, and then tries nothing again", async () => {
    const large = "x".repeat(100);
    let paused: Promise<void> | undefined;
    const bench = await Bench.open(
      {
        element() {
          for (let i = 0; i < 5; i++) bench.context.outputs.get("out")!(large, IMPULSE_META);
          assert.ok(bench.context.shouldPause());
          paused = bench.context.resume();
        },
        blocked: () => paused?.then(() => void (paused = undefined)),
        finish: failing(1),
      },
      { bundleBytes: 100 },
    );
    const happened = await bench.input("a").turns();
    assert.equal(happened.filter((each) => each.startsWith("sent")).length, 5);
    assert.equal(happened.at(-1), "finish");
    assert.ok(!happened.includes("rollback"));
    assert.equal(bench.task.counts().bundlesLetGo, 1);
    assert.match(bench.message, /no \(1 attempt\)$/);
  });

  it("closes each executor once when it is stopped while another one is opened", async () => {
    const bench = await Bench.open({ element: failing(1) });
    bench.input("a");
    bench.task.turn(Infinity);
    await bench.task.stop();
    assert.deepEqual(await bench.turns(), []);
    assert.equal(bench.log.filter((each) => each === "abort").length, 1);
    const opened = 1 + bench.log.filter((each) => each === "open").length;
    assert.equal(bench.log.filter((each) => each === "close").length, opened);
  });
});
