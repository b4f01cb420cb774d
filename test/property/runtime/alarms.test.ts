import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../../portability/values/index.js";
import { RadixQueue } from "../../../runner/keyed/radix-queue.js";
import { AlarmQueue, type Alarm } from "../../../runner/keyed/alarm-queue.js";

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
        const queue = new RadixQueue<readonly [number, number]>();
        let model: (readonly [number, number])[] = [];
        all.forEach((operation, i) => {
          if (operation === "take") {
            const [first] = model;
            assert.equal(queue.peek()?.[0], first?.[0]);
            assert.equal(queue.take()?.[0], first?.[0]);
            model = model.slice(1);
          } else if (operation === "retain") {
            queue.retain((_instant, [, number]) => number % 3 !== 0);
            model = model.filter(([, number]) => number % 3 !== 0);
          } else {
            queue.add(operation, [operation, i]);
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
        const queue = new RadixQueue<readonly [number, number]>();
        all.forEach((instant, i) => queue.add(instant, [instant, i]));
        const expected = all.map((instant, i) => [instant, i] as const).sort(([a], [b]) => a - b);
        assert.deepEqual(
          expected.map(() => queue.take()),
          expected,
        );
      }),
    );
  });
});

describe("AlarmQueue", () => {
  it("gives the alarm that is due first, however often they were moved", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new AlarmQueue<Alarm>();
        const alarms = Array.from({ length: 6 }, (): Alarm => ({ due: Infinity, queuedAt: Infinity }));
        const model = new Map<Alarm, number>();
        for (const each of steps) {
          if (each.kind === "take") {
            const first = Math.min(Infinity, ...model.values());
            const taken = queue.next === Infinity ? undefined : queue.take();
            assert.equal(taken === undefined ? Infinity : model.get(taken), first);
            if (taken !== undefined) model.delete(taken);
          } else {
            const due = each.kind === "set" ? each.due : Infinity;
            queue.set(alarms[each.alarm], due);
            model.delete(alarms[each.alarm]);
            if (due < Infinity) model.set(alarms[each.alarm], due);
          }
          assert.equal(queue.next, Math.min(Infinity, ...model.values()));
        }
      }),
    );
  });

  it("does not grow with how often alarms are moved or called off", () => {
    const queue = new AlarmQueue<Alarm>();
    const alarms = Array.from({ length: 10 }, (): Alarm => ({ due: Infinity, queuedAt: Infinity }));
    for (let i = 0; i < 100_000; i++) {
      queue.set(alarms[i % 10], 1_000_000 - i);
      if (i % 3 === 0) queue.set(alarms[i % 10], Infinity);
    }
    assert.ok(queue.size < 5000, `${queue.size} entries`);
    for (let i = 0; i < 100_000; i++) queue.set({ due: Infinity, queuedAt: Infinity }, Infinity);
    const fresh = Array.from({ length: 100_000 }, (): Alarm => ({ due: Infinity, queuedAt: Infinity }));
    for (const each of fresh) {
      queue.set(each, 5);
      queue.set(each, Infinity);
    }
    assert.ok(queue.size < 5000, `${queue.size} entries`);
  });
});
