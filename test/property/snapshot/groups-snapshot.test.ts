// What a grouping of one pane for each window keeps, in snapshots that hold the values which were added.
import assert from "node:assert/strict";
import fc from "fast-check";
import { globalWindowCoder, intervalWindowCoder, utf8Coder, ValueCoder, type Coder } from "../../../portability/coders/index.js";
import { ElementMeta, kv, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_FIRING, type KV, type Window } from "../../../portability/values/index.js";
import { FixedWindows, globalWindows, SlidingWindows, type WindowFn } from "../../../portability/windows/index.js";
import { HeapStore, KeyGroups, keySpaceOf } from "../../../runner/store/index.js";
import { GroupByKey, GroupsSnapshot, type TimestampCombiner } from "../../../runner/windows/index.js";
import { checkSnapshots, disturbance, type Lawful, type LawfulTask, type Times } from "../../support/snapshot-law.js";

type Step =
  | { readonly kind: "element"; readonly key: string; readonly timestamp: number; readonly value: number }
  | { readonly kind: "watermark"; readonly by: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("element" as const),
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      timestamp: fc.integer({ min: 0, max: 40 }),
      value: fc.nat(99),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("watermark" as const), by: fc.integer({ min: 1, max: 12 }) }) },
);
const script = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 2, arbitrary: disturbance }), { maxLength: 60, size: "max" });

const text = utf8Coder as Coder<unknown>;
const keys = keySpaceOf(text);
const groups = new KeyGroups(4, keys);

class GroupingTask implements LawfulTask<Step> {
  readonly part: GroupsSnapshot;
  private readonly grouping: GroupByKey;
  private lines: string[] = [];

  constructor(
    private readonly windowFn: WindowFn,
    combiner: TimestampCombiner,
    private readonly times: Times,
  ) {
    this.grouping = new GroupByKey(
      combiner,
      keys,
      new HeapStore(groups, 2),
      (value, { timestamp, windows }) => {
        const { key, value: values } = value as KV<string, Iterable<number>>;
        this.lines.push(`${key} ${windows.map(String).join()} @${timestamp} ${[...values].join()}`);
      },
      (value, { windows }) => this.lines.push(`late ${JSON.stringify(value)} ${windows.map(String).join()}`),
    );
    const window = (windowFn === globalWindows ? globalWindowCoder : intervalWindowCoder) as unknown as Coder<Window>;
    this.part = new GroupsSnapshot(this.grouping, { key: text, value: new ValueCoder(), window }, groups);
  }

  take(each: Step): string[] {
    const { grouping, times } = this;
    this.lines = [];
    if (each.kind === "element")
      grouping.process(kv(each.key, each.value), new ElementMeta(each.timestamp, this.windowFn.assign(each.timestamp), NO_FIRING));
    else grouping.advance(times.watermark);
    assert.ok(grouping.drain(() => false));
    return this.lines;
  }

  hold(): number {
    return this.grouping.hold();
  }

  goOnFrom(watermark: number): void {
    this.grouping.advance(watermark);
    assert.ok(!this.grouping.draining, "something is emitted that was emitted before");
  }
}

describe("snapshots of GroupByKey", () => {
  it("go on as if nothing had happened, at any number of tasks", () => {
    const combiners = fc.constantFrom("end-of-window" as const, "earliest" as const, "latest" as const);
    const windowFns = fc.constantFrom<WindowFn>(globalWindows, new FixedWindows(10), new SlidingWindows(12, 5));
    fc.assert(
      fc.property(windowFns, combiners, script, (windowFn, combiner, steps) => {
        const lawful: Lawful<Step> = {
          groups: groups.count,
          groupOf: (each) => (each.kind === "element" ? groups.of(keys.identify(each.key)) : undefined),
          move(each, times) {
            if (each.kind !== "watermark") return;
            const from = times.watermark === MIN_TIMESTAMP ? 0 : times.watermark;
            times.watermark = Math.min(MAX_TIMESTAMP, from + each.by);
          },
          newTask: (times) => new GroupingTask(windowFn, combiner, times),
        };
        checkSnapshots(lawful, [...steps, { kind: "restore", tasks: 2 }, { kind: "watermark", by: Infinity }]);
      }),
      { numRuns: 1000 },
    );
  });
});
