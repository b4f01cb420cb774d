// The gate in front of a stage with side inputs. Catches elements that enter before their window is complete, that are lost or
// held back for another window's sake, a watermark that overtakes what is kept, and a producer that is made to wait.
import assert from "node:assert/strict";
import {
  ElementMeta,
  IntervalWindow,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  GLOBAL_WINDOWS,
  type Window,
} from "../../../../portability/values/index.js";
import { FixedWindows, globalWindows, type WindowFn } from "../../../../portability/windows/index.js";
import { ElementBatch, RelayHead, SideInputHead, type SideInputBuffer } from "../../../../runner/runtime/index.js";
import { Barrier } from "../../../../runner/runtime/barrier.js";
import { sideInputOf } from "../../../support/side-inputs.js";

const window = (n: number): Window => new IntervalWindow(n * 10, n * 10 + 10);
const inWindows = (timestamp: number, ...windows: Window[]): ElementMeta => new ElementMeta(timestamp, windows, NO_FIRING);

class Bench {
  readonly entered: unknown[] = [];
  readonly returned: number[] = [];
  readonly side: SideInputBuffer;
  readonly head: SideInputHead;
  private readonly port: number;

  constructor({ windowFn, latenessMs = 0 }: { windowFn: WindowFn | undefined; latenessMs?: number } = { windowFn: new FixedWindows(10) }) {
    this.side = sideInputOf(windowFn);
    this.port = this.side.inbox.addPort((bytes) => this.returned.push(bytes));
    this.head = new SideInputHead(
      [this.side],
      (value) => this.entered.push(value),
      (next) => new RelayHead(next),
      { wake: () => {}, latenessMs },
    );
  }

  main(value: unknown, meta: ElementMeta): void {
    this.head.process(value, meta);
  }

  arrive(value: unknown, meta: ElementMeta, bytes = 8): void {
    const batch = new ElementBatch();
    batch.push(value, meta);
    batch.bytes = bytes;
    this.side.inbox.receive(this.port, batch);
  }

  /** Moves the side input's watermark and lets in what that allows. */
  sideWatermark(watermark: number): void {
    this.side.inbox.receiveWatermark(this.port, watermark);
    this.head.poll();
    if (this.head.draining) this.head.drain(() => false);
  }
}

describe("SideInputHead", () => {
  it("keeps an element until the window it needs is complete", () => {
    const bench = new Bench();
    bench.main("a", inWindows(5, window(0)));
    bench.sideWatermark(9);
    assert.deepEqual(bench.entered, []);
    bench.sideWatermark(10);
    assert.deepEqual(bench.entered, ["a"]);
  });

  it("lets elements of a complete window pass those of another one that are kept", () => {
    const bench = new Bench();
    bench.sideWatermark(10);
    bench.main("late", inWindows(15, window(1)));
    bench.main("now", inWindows(5, window(0)));
    assert.deepEqual(bench.entered, ["now"]);
    bench.sideWatermark(20);
    assert.deepEqual(bench.entered, ["now", "late"]);
  });

  it("waits for the latest window of an element in several", () => {
    const bench = new Bench();
    bench.main("a", inWindows(5, window(2), window(0)));
    bench.sideWatermark(20);
    assert.deepEqual(bench.entered, []);
    bench.sideWatermark(30);
    assert.deepEqual(bench.entered, ["a"]);
  });

  it("waits for everything where the side input is in the global window, or in windows nobody here knows", () => {
    for (const windowFn of [globalWindows, undefined]) {
      const bench = new Bench({ windowFn });
      bench.main("a", inWindows(5, window(0)));
      bench.sideWatermark(1e12);
      assert.deepEqual(bench.entered, []);
      bench.sideWatermark(MAX_TIMESTAMP);
      assert.deepEqual(bench.entered, ["a"]);
    }
  });

  it("holds the watermark at the earliest element that is kept", () => {
    const bench = new Bench();
    assert.equal(bench.head.hold(), MAX_TIMESTAMP);
    bench.main("b", inWindows(15, window(1)));
    bench.main("a", inWindows(12, window(1)));
    bench.main("c", inWindows(3, window(0)));
    assert.equal(bench.head.hold(), 3);
    bench.sideWatermark(10);
    assert.equal(bench.head.hold(), 12);
    bench.sideWatermark(20);
    assert.equal(bench.head.hold(), MAX_TIMESTAMP);
  });

  it("resumes a release that was paused, and holds until it is through", () => {
    const bench = new Bench();
    for (const value of [1, 2, 3]) bench.main(value, inWindows(value, window(0)));
    bench.side.inbox.receiveWatermark(0, 10);
    bench.head.poll();
    let left = 2;
    assert.equal(
      bench.head.drain(() => left-- === 0),
      false,
    );
    assert.deepEqual(bench.entered, [1, 2]);
    assert.equal(bench.head.hold(), 1);
    assert.equal(
      bench.head.drain(() => false),
      true,
    );
    assert.deepEqual(bench.entered, [1, 2, 3]);
    assert.equal(bench.head.draining, false);
  });

  it("takes the side input at once, whatever the main input does", () => {
    const bench = new Bench();
    bench.arrive("x", inWindows(5, window(0)), 100);
    bench.head.poll();
    assert.deepEqual(bench.returned, [100]);
  });

  it("lets its task end only when the side inputs have ended", () => {
    const bench = new Bench();
    assert.match(bench.head.waitsFor ?? "", /side input "side"/);
    bench.sideWatermark(MAX_TIMESTAMP);
    assert.equal(bench.head.waitsFor, undefined);
  });
});

describe("SideInputBuffer", () => {
  it("has the elements of each window, in each window of an element", () => {
    const bench = new Bench();
    bench.arrive("a", inWindows(5, window(0), window(1)));
    bench.arrive("b", inWindows(5, window(0)));
    bench.head.poll();
    assert.deepEqual(bench.side.values(window(0)), ["a", "b"]);
    assert.deepEqual(bench.side.values(window(1)), ["a"]);
    assert.deepEqual(bench.side.values(window(2)), []);
  });

  it("gives the same array as long as nothing came, and leaves it alone when something does", () => {
    const bench = new Bench();
    bench.arrive("a", inWindows(5, window(0)));
    bench.head.poll();
    const before = bench.side.values(window(0));
    assert.equal(bench.side.values(window(0)), before);
    bench.arrive("b", inWindows(6, window(0)));
    bench.head.poll();
    assert.deepEqual(before, ["a"]);
    assert.deepEqual(bench.side.values(window(0)), ["a", "b"]);
  });

  it("is complete for everything when it is over", () => {
    const side = sideInputOf(globalWindows);
    const port = side.inbox.addPort(() => {});
    assert.equal(side.isReady(GLOBAL_WINDOWS[0]), false);
    side.inbox.receiveWatermark(port, MIN_TIMESTAMP + 1);
    side.takeArrived();
    assert.equal(side.isReady(GLOBAL_WINDOWS[0]), false);
    side.inbox.receiveWatermark(port, MAX_TIMESTAMP);
    side.takeArrived();
    assert.equal(side.isReady(GLOBAL_WINDOWS[0]), true);
  });

  it("drops what no task needs any more, and takes nothing more for it", () => {
    const bench = new Bench();
    const other = bench.side.join(() => {});
    bench.sideWatermark(100);
    for (const n of [0, 1, 2]) bench.arrive(n, inWindows(n * 10, window(n)));
    bench.head.poll();
    bench.head.advance(20);
    bench.head.advance(25); // so what came before 20 is done
    assert.equal(bench.side.size, 3, "the other task has not come that far");
    other.needsFrom = 40;
    bench.side.dropUnneeded();
    assert.equal(bench.side.size, 1);
    assert.deepEqual([bench.side.values(window(1)), bench.side.values(window(2))], [[], [2]]);
    bench.arrive(3, inWindows(5, window(0)));
    bench.head.poll();
    assert.equal(bench.side.size, 1);
    void bench.head.close();
    bench.side.dropUnneeded();
    assert.equal(bench.side.size, 0, "a task that has ended needs nothing");
  });

  it("keeps what elements need that wait, and what late ones may", () => {
    for (const [latenessMs, expected] of [
      [0, 1],
      [10, 2],
    ]) {
      const bench = new Bench({ windowFn: new FixedWindows(10), latenessMs });
      for (const n of [0, 1, 2]) bench.arrive(n, inWindows(n * 10, window(n)));
      bench.head.poll();
      bench.main("waits", inWindows(15, window(1)));
      bench.head.advance(25);
      bench.head.advance(26);
      assert.equal(bench.side.size, latenessMs === 0 ? 2 : 3);
      bench.sideWatermark(100);
      bench.head.advance(27);
      assert.equal(bench.side.size, expected);
    }
  });

  it("tells all tasks that read it what has come, whoever takes it", () => {
    const woken: string[] = [];
    const side = sideInputOf(globalWindows);
    const port = side.inbox.addPort(() => {});
    const heads = ["a", "b"].map(
      (name) =>
        new SideInputHead(
          [side],
          () => {},
          (next) => new RelayHead(next),
          { wake: () => woken.push(name), latenessMs: 0 },
        ),
    );
    for (const head of heads) head.process(1, inWindows(0, GLOBAL_WINDOWS[0]));
    side.inbox.receiveWatermark(port, MAX_TIMESTAMP);
    assert.deepEqual(woken, ["a", "b"]);
    for (const head of heads) {
      head.poll();
      assert.ok(head.draining);
    }
  });

  it("stays at a barrier until all tasks have passed theirs, those that end included, and takes nothing of the next epoch before", () => {
    const side = sideInputOf(globalWindows);
    const port = side.inbox.addPort(() => {});
    const [a, b, c] = [1, 2, 3].map(() => side.join(() => {}));
    const arrive = (value: string): void => {
      const batch = new ElementBatch();
      batch.push(value, inWindows(0, GLOBAL_WINDOWS[0]));
      side.inbox.receive(port, batch);
    };
    const values = (): unknown => {
      side.takeArrived();
      return [...side.values(GLOBAL_WINDOWS[0])];
    };
    arrive("before");
    side.inbox.receiveBarrier(port, new Barrier(1, 1));
    arrive("behind");
    assert.deepEqual(values(), ["before"]);
    assert.equal(side.inbox.barrier, 1);
    side.passBarrier(a);
    side.passBarrier(b);
    assert.deepEqual([values(), side.inbox.barrier], [["before"], 1]);
    side.leave(c);
    assert.deepEqual([values(), side.inbox.barrier], [["before", "behind"], undefined]);
    side.inbox.receiveBarrier(port, new Barrier(2, 2));
    side.takeArrived();
    side.passBarrier(a);
    assert.equal(side.inbox.barrier, 2, "each passes each barrier once");
    side.passBarrier(b);
    assert.equal(side.inbox.barrier, undefined);
  });
});
