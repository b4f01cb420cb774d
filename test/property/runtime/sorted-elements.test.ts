// Elements that wait for their time, against a list that is sorted anew each time, in bundles of which some fail. Catches elements lost, doubled or
// out of order, and what a failed bundle leaves behind.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ElementMeta, GLOBAL_WINDOWS, NO_FIRING } from "../../../portability/values/index.js";
import { SortedElements } from "../../../runner/keyed/sorted-elements.js";
import { UndoLog } from "../../../runner/keyed/undo-log.js";

interface Known {
  readonly id: number;
  readonly at: number;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ at: fc.integer({ min: 0, max: 20 }) }) },
  { weight: 4, arbitrary: fc.constant("take" as const) },
  { weight: 1, arbitrary: fc.constantFrom("commit" as const, "rollback" as const) },
);

describe("SortedElements", () => {
  it("gives its elements by timestamp, those of one timestamp as they came, without what failed bundles did", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const log = new UndoLog();
        const elements = new SortedElements();
        let model: Known[] = [];
        let committed: Known[] = [];
        for (const [id, each] of steps.entries()) {
          if (each === "commit") {
            log.commit();
            committed = [...model];
          } else if (each === "rollback") {
            log.rollback();
            model = [...committed];
          } else if (each === "take") {
            const first = model.reduce<Known | undefined>(
              (least, known) => (least === undefined || known.at < least.at ? known : least),
              undefined,
            );
            if (first === undefined) continue;
            assert.equal(elements.take(log).element, first.id);
            model = model.filter((known) => known !== first);
          } else {
            elements.add({ element: id, meta: new ElementMeta(each.at, GLOBAL_WINDOWS, NO_FIRING) }, log);
            model = [...model, { id, at: each.at }];
          }
          assert.equal(elements.size, model.length);
          assert.equal(elements.next, Math.min(Infinity, ...model.map(({ at }) => at)));
          assert.deepEqual(
            elements.elements.map(({ element }) => element),
            [...model].sort((a, b) => a.at - b.at).map(({ id: known }) => known),
          );
        }
      }),
    );
  });

  it("lets go of what was taken, however long it goes on", () => {
    const log = new UndoLog();
    const elements = new SortedElements();
    for (let i = 0; i < 10_000; i++) elements.add({ element: i, meta: new ElementMeta(i, GLOBAL_WINDOWS, NO_FIRING) }, log);
    for (let i = 0; i < 10_000; i++) {
      assert.equal(elements.take(log).element, i);
      if (i % 10 === 0) log.commit();
      if (i % 1000 === 5) elements.add({ element: "late", meta: new ElementMeta(20_000, GLOBAL_WINDOWS, NO_FIRING) }, log);
    }
    assert.equal(elements.size, 10);
  });
});
