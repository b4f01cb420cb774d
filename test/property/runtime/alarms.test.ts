import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../../portability/values/index.js";
import { RadixQueue } from "../../../runner/keyed/radix-queue.js";
import { AlarmQueue, type Slot } from "../../../runner/keyed/alarm-queue.js";

type Step =
  | { readonly kind: "set"; readonly alarm: number; readonly due: number }
  | { readonly kind: "clear"; readonly alarm: number }
  | { readonly kind: "take" };

const alarm = fc.integer({ min: 0, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), alarm, due: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), alarm }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: "take" }) },
);

describe("RadixQueue", () => {
  const instants = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_100 }),
    fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
    fc.constantFrom(MIN_TIMESTAMP, MAX_TIMESTAMP),
  );
  const operations = fc.array(
    fc.oneof({ weight: 3, arbitrary: instants }, { weight: 2, arbitrary: fc.constant("take" as const) }, fc.constant("retain" as const)),
    { maxLength: 80 },
  );

  it("is a list that is kept in order", () => {
    fc.assert(
      fc.property(operations, (all) => {
        const queue = new RadixQueue();
        let model: (readonly [number, number])[] = [];
        all.forEach((operation, i) => {
          if (operation === "take") {
            if (model.length === 0) return;
            // Among those of an instant that is earlier than what was taken, there is no order.
            const item = queue.peek();
            assert.equal(queue.take(), item);
            const at = model.findIndex(([, number]) => number === item);
            assert.equal(model[at]?.[0], model[0][0]);
            model.splice(at, 1);
          } else if (operation === "retain") {
            queue.retain((_instant, number) => number % 3 !== 0);
            model = model.filter(([, number]) => number % 3 !== 0);
          } else {
            queue.add(operation, i);
            model.push([operation, i]);
            model.sort(([a], [b]) => a - b);
          }
          assert.equal(queue.size, model.length);
          assert.equal(queue.next, model[0]?.[0] ?? Infinity);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the order of addition among those of an instant, as time goes on", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), (all) => {
        const queue = new RadixQueue();
        all.forEach((instant, i) => queue.add(instant, i));
        const expected = all.map((instant, i) => [instant, i] as const).sort(([a], [b]) => a - b);
        assert.deepEqual(
          expected.map(() => queue.take()),
          expected.map(([, i]) => i),
        );
      }),
    );
  });
});

describe("AlarmQueue", () => {
  it("gives the alarm that is due first, however often they were moved", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new AlarmQueue<number>();
        const slots = new Map<number, Slot>();
        const model = new Map<number, number>();
        for (const each of steps) {
          if (each.kind === "take") {
            const first = Math.min(Infinity, ...model.values());
            if (queue.next === Infinity) assert.equal(first, Infinity);
            else {
              const item = queue.itemOf(queue.first);
              assert.equal(model.get(item), first);
              assert.equal(queue.noteOf(queue.first), item + first);
              queue.take();
              slots.delete(item);
              model.delete(item);
            }
          } else if (each.kind === "set") {
            const slot = slots.get(each.alarm);
            if (slot === undefined) slots.set(each.alarm, queue.add(each.alarm, each.due, each.alarm + each.due));
            else queue.move(slot, each.due, each.alarm + each.due);
            model.set(each.alarm, each.due);
          } else if (slots.has(each.alarm)) {
            queue.remove(slots.get(each.alarm)!);
            slots.delete(each.alarm);
            model.delete(each.alarm);
          }
          assert.equal(queue.next, Math.min(Infinity, ...model.values()));
          for (const [item, slot] of slots) assert.deepEqual([queue.itemOf(slot), queue.dueOf(slot)], [item, model.get(item)]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("does not grow with how often alarms are moved or called off", () => {
    const queue = new AlarmQueue<number>();
    const slots = Array.from({ length: 10 }, (_, i) => queue.add(i, 2_000_000));
    for (let i = 0; i < 100_000; i++) {
      queue.move(slots[i % 10], 1_000_000 - i);
      if (i % 3 > 0) continue;
      queue.remove(slots[i % 10]);
      slots[i % 10] = queue.add(i, 2_000_000);
    }
    assert.ok(queue.size < 5000, `${queue.size} entries`);
    for (let i = 0; i < 100_000; i++) queue.remove(queue.add(i, 5));
    assert.ok(queue.size < 5000, `${queue.size} entries`);
  });
});
