// Snapshots of restrictions: at whatever moments they are taken, and however late they are written, what is restored from all of them is what was
// there at the last one; and so it is where the restrictions of several tasks come to one.
import assert from "node:assert/strict";
import fc from "fast-check";
import { doubleCoder, globalWindowCoder, kvCoder, utf8Coder, WindowedValueCoder, type Coder } from "../../../portability/coders/index.js";
import type { Residual } from "../../../portability/stage-host/index.js";
import { kv, type Window } from "../../../portability/values/index.js";
import { Residuals, ResidualsSnapshot, VirtualClock } from "../../../runner/runtime/index.js";
import { SectionMerger, SectionWriter, type StateRecord } from "../../../runner/snapshot/index.js";
import { at } from "../../support/stage-driver.js";

const coder = new WindowedValueCoder<unknown>(kvCoder(utf8Coder, doubleCoder) as Coder<unknown>, globalWindowCoder as Coder<Window>);

/** A task's restrictions, and the snapshots that were written of them. */
class Bench {
  readonly clock = new VirtualClock();
  readonly residuals = new Residuals(this.clock);
  readonly snapshot = new ResidualsSnapshot(this.residuals, coder);
  private readonly merger = new SectionMerger();
  private writer: SectionWriter | undefined;
  private epoch = 0;
  /** What was there when the last snapshot was frozen. */
  frozen: string[] = [];

  handBack(residual: Residual): void {
    this.residuals.contextWith(() => false).residual(residual);
    this.residuals.commit();
  }

  /** Takes all that is due. */
  deliver(): void {
    for (const residual of this.residuals.due()) this.residuals.taken(residual);
  }

  freeze(): void {
    this.write();
    this.merger.nextSnapshot();
    this.writer = new SectionWriter((_group, bytes) => this.merger.add(bytes));
    this.snapshot.freeze(this.writer, ++this.epoch);
    this.frozen = contentsOf(this.residuals);
  }

  /** Writes what was frozen last. */
  write(): void {
    this.snapshot.write(() => false);
    this.writer?.flush();
    this.writer = undefined;
  }

  get records(): Iterable<StateRecord> {
    this.write();
    return this.merger.result;
  }
}

/** What the restrictions that are there are like; looking takes them out of another one like it. */
function contentsOf(residuals: Residuals): string[] {
  const { all } = residuals as unknown as {
    all: Iterable<{ value: unknown; meta: { timestamp: number }; dueAt: number; watermark: number; isTruncated: boolean }>;
  };
  return [...all]
    .map(({ value, meta, dueAt, watermark, isTruncated }) => JSON.stringify([value, meta.timestamp, dueAt, watermark, isTruncated]))
    .sort();
}

const residual = fc.record({
  value: fc.string({ maxLength: 3 }).map((element): unknown => kv(element, 1)),
  meta: fc.nat(5).map((timestamp) => at(timestamp)),
  delayMs: fc.nat(20),
  watermark: fc.nat(50),
  isTruncated: fc.boolean(),
});
const step = fc.oneof(
  { weight: 4, arbitrary: residual },
  { weight: 2, arbitrary: fc.record({ advance: fc.nat(15) }) },
  fc.constant("freeze" as const),
  fc.constant("write" as const),
);

type Step = Residual | { readonly advance: number } | "freeze" | "write";

function played(steps: readonly Step[]): Bench {
  const bench = new Bench();
  for (const each of steps)
    if (each === "freeze") bench.freeze();
    else if (each === "write") bench.write();
    else if ("advance" in each) {
      bench.clock.advance(each.advance);
      bench.deliver();
    } else bench.handBack(each);
  return bench;
}

describe("snapshots of restrictions", () => {
  it("are what was there at the last one", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 10 }), (before, after) => {
        const bench = played([...before, "freeze"]);
        const { frozen } = bench;
        for (const each of after) if (typeof each === "object" && "value" in each) bench.handBack(each);
        bench.clock.advance(5);
        bench.deliver();
        const restored = new Bench();
        restored.snapshot.restore(bench.records);
        restored.snapshot.settle();
        assert.deepEqual(contentsOf(restored.residuals), frozen);
        const least = frozen.reduce((hold, text) => Math.min(hold, (JSON.parse(text) as number[])[3]), Infinity);
        if (frozen.length > 0) assert.equal(restored.residuals.hold(), least);
      }),
    );
  });

  it("of several tasks may come to one", () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 15 }), { maxLength: 3 }), (tasks) => {
        const benches = tasks.map((steps) => played([...steps, "freeze"]));
        const restored = new Bench();
        for (const { records } of benches) restored.snapshot.restore(records);
        restored.freeze();
        const again = new Bench();
        again.snapshot.restore(restored.records);
        assert.deepEqual(contentsOf(again.residuals), benches.flatMap(({ frozen }) => frozen).sort());
      }),
    );
  });
});
