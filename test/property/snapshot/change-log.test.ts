// A log of changes against copies of everything: records that come, change and go while frozen ones are being written. Catches what is
// written as it is now and not as it was, what is forgotten, and what is written although it has not changed.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ChangeLog, type Changing, type RecordSink } from "../../../runner/snapshot/index.js";

interface Cell extends Changing {
  readonly id: string;
  value: number;
  isThere: boolean;
}

type Step =
  | { readonly kind: "change" | "drop"; readonly id: string }
  | { readonly kind: "write"; readonly records: number }
  | { readonly kind: "freeze" };

const id = fc.constantFrom("a", "b", "c", "d");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("drop" as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("write" as const), records: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 2, arbitrary: fc.constant({ kind: "freeze" as const }) },
);

const noSink = {} as RecordSink;

describe("ChangeLog", () => {
  it("writes what had changed by the freeze, as it was then, whatever happens meanwhile", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.array(step, { maxLength: 60, size: "max" }), (settled, steps) => {
        let written = new Map<string, number | undefined>();
        const cells = new Map<string, Cell>();
        let writes = 0;
        const log = new ChangeLog<Cell>(({ id: of, value, isThere }) => {
          writes++;
          // One that is there takes the place of one of the same id that is gone, in whatever order they are written.
          if (isThere) {
            assert.equal(written.get(of), undefined, "written twice");
            written.set(of, value);
          } else if (!written.has(of)) written.set(of, undefined);
        });
        let values = 0;
        const change = (of: string): void => {
          let cell = cells.get(of);
          if (cell === undefined) cells.set(of, (cell = { id: of, value: 0, isThere: true, changedIn: 0 }));
          log.touch(cell);
          cell.value = ++values;
        };
        for (const name of ["a", "b", "c"].slice(0, settled)) change(name);
        log.settle(); // these are where they were
        let base = new Map([...cells].map(([of, { value }]) => [of, value]));
        let changed = new Set<string>();
        let frozen: { readonly state: Map<string, number>; readonly changed: Set<string> } | undefined;
        const finish = (records: number): void => {
          if (frozen === undefined || !log.write(() => records-- <= 0)) return;
          assert.deepEqual(new Set(written.keys()), frozen.changed, "just what has changed is written");
          for (const [name, value] of written)
            if (value === undefined) base.delete(name);
            else base.set(name, value);
          assert.deepEqual(sorted(base), sorted(frozen.state));
          base = frozen.state;
          frozen = undefined;
        };
        for (const each of steps)
          if (each.kind === "change") {
            changed.add(each.id);
            change(each.id);
          } else if (each.kind === "drop") {
            const cell = cells.get(each.id);
            if (cell === undefined) continue;
            changed.add(each.id);
            log.touch(cell);
            cell.isThere = false;
            cells.delete(each.id);
          } else if (each.kind === "write") finish(each.records);
          else if (each.kind === "freeze" && frozen === undefined) {
            written = new Map();
            log.freeze(noSink);
            frozen = { state: new Map([...cells].map(([of, { value }]) => [of, value])), changed };
            changed = new Set();
          }
        finish(Infinity);
        written = new Map();
        log.freeze(noSink);
        frozen = { state: new Map([...cells].map(([of, { value }]) => [of, value])), changed };
        finish(Infinity);
        assert.equal(frozen, undefined);
        const before = writes;
        log.freeze(noSink);
        assert.ok(log.write(() => false));
        assert.equal(writes, before, "nothing has changed since");
      }),
      { numRuns: 2000 },
    );
  });

  const sorted = (map: ReadonlyMap<string, number>): unknown => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
});
