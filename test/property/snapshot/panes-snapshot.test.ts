// What a grouping keeps, in snapshots: values, panes, triggers, holds, sessions that merge, late elements.
import assert from "node:assert/strict";
import fc from "fast-check";
import { globalWindowCoder, intervalWindowCoder, utf8Coder, ValueCoder, type Coder } from "../../../portability/coders/index.js";
import { ElementMeta, kv, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_FIRING, type KV, type Window } from "../../../portability/values/index.js";
import {
  FixedWindows,
  globalWindows,
  mergeOverlapping,
  Sessions,
  SlidingWindows,
  type WindowFn,
} from "../../../portability/windows/index.js";
import { KeyGroups, keySpaceOf } from "../../../runner/store/index.js";
import { GroupIntoPanes, PanesSnapshot, type GroupingStrategy } from "../../../runner/windows/index.js";
import { triggerOf } from "../../support/any-trigger.js";
import { checkSnapshots, disturbance, type Lawful, type LawfulTask, type Times } from "../../support/snapshot-law.js";

type Step =
  | { readonly kind: "element"; readonly key: string; readonly timestamp: number; readonly value: number }
  | { readonly kind: "watermark" | "clock"; readonly by: number };

const KEYS = ["a", "b", "c", "d", "e"];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("element" as const),
      key: fc.constantFrom(...KEYS),
      timestamp: fc.integer({ min: 0, max: 40 }),
      value: fc.nat(99),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("watermark" as const, "clock" as const), by: fc.integer({ min: 1, max: 12 }) }),
  },
);
const script = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 2, arbitrary: disturbance }), { maxLength: 60, size: "max" });

const cases = (...windowFns: readonly WindowFn[]) =>
  fc.record({
    windowFn: fc.constantFrom(...windowFns),
    strategy: fc.record({
      trigger: fc.oneof(triggerOf(1), triggerOf(2)),
      timestampCombiner: fc.constantFrom("end-of-window" as const, "earliest" as const, "latest" as const),
      allowedLatenessMs: fc.constantFrom(0, 5, 30),
      accumulating: fc.boolean(),
      emptyOnTimePane: fc.boolean(),
      emptyFinalPane: fc.boolean(),
    }),
  });

const keys = keySpaceOf(utf8Coder as Coder<unknown>);
const groups = new KeyGroups(4, keys);

class GroupingTask implements LawfulTask<Step> {
  readonly part: PanesSnapshot;
  private readonly grouping: GroupIntoPanes;
  private lines: string[] = [];

  constructor(
    private readonly windowFn: WindowFn,
    strategy: GroupingStrategy,
    private readonly times: Times,
  ) {
    this.grouping = new GroupIntoPanes(
      strategy,
      keys,
      (value, { timestamp, windows, pane }) => {
        const { key, value: values } = value as KV<string, number[]>;
        this.lines.push(
          `${key} ${windows.map(String).join()} @${timestamp} ${[...values].sort((a, b) => a - b).join()} ${JSON.stringify(pane)}`,
        );
      },
      () => times.now,
      (value, { windows }) => this.lines.push(`late ${JSON.stringify(value)} ${windows.map(String).join()}`),
    );
    const window = (windowFn === globalWindows ? globalWindowCoder : intervalWindowCoder) as unknown as Coder<Window>;
    this.part = new PanesSnapshot(this.grouping, { key: utf8Coder as Coder<unknown>, value: new ValueCoder(), window }, groups);
  }

  take(step: Step): string[] {
    const { grouping, times } = this;
    this.lines = [];
    if (step.kind === "element")
      grouping.process(kv(step.key, step.value), new ElementMeta(step.timestamp, this.windowFn.assign(step.timestamp), NO_FIRING));
    else if (step.kind === "watermark") grouping.advance(times.watermark);
    else if (grouping.deadline <= times.now) grouping.advanceTime(times.now);
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

function move(each: Step, times: Times): void {
  if (each.kind === "watermark")
    times.watermark = Math.min(MAX_TIMESTAMP, times.watermark === MIN_TIMESTAMP ? each.by : times.watermark + each.by);
  else if (each.kind === "clock") times.now += each.by;
}

describe("snapshots of GroupIntoPanes", () => {
  for (const [windows, all] of [
    ["that do not merge", cases(globalWindows, new FixedWindows(10), new SlidingWindows(12, 5))],
    ["that merge", cases(new Sessions(5))],
  ] as const)
    it(`in windows ${windows} go on as if nothing had happened, at any number of tasks`, () => {
      fc.assert(
        fc.property(all, script, ({ windowFn, strategy }, steps) => {
          const lawful: Lawful<Step> = {
            groups: groups.count,
            groupOf: (each) => (each.kind === "element" ? groups.of(keys.identify(each.key)) : undefined),
            move,
            newTask: (times) =>
              new GroupingTask(
                windowFn,
                { ...strategy, outputTime: undefined, merge: windowFn.merging ? mergeOverlapping : undefined },
                times,
              ),
          };
          checkSnapshots(lawful, [...steps, { kind: "restore", tasks: 2 }, { kind: "watermark", by: Infinity }]);
        }),
        { numRuns: 1000 },
      );
    });
});
