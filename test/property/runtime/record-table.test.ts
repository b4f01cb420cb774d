// A table of records against a Map. Catches records that are not found behind a removed one, or found when they are gone, records of two keys at
// once, what a record brings along from the key that it had before, and room that is never given back.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import { GlobalWindow } from "../../../portability/values/index.js";
import type { KeyedRecord, WindowRecords } from "../../../runner/keyed/keyed-record.js";
import { KeyedStore } from "../../../runner/keyed/index.js";
import { RecordTable } from "../../../runner/keyed/record-table.js";
import { keySpaceOf } from "../../../runner/store/index.js";

const newTable = (): RecordTable => {
  const of: { -readonly [K in keyof WindowRecords]?: WindowRecords[K] } = { window: GlobalWindow.instance, expiresAt: 0 };
  return (of.records = new RecordTable(of as WindowRecords));
};

describe("RecordTable", () => {
  for (const [what, hashOf] of Object.entries({
    "spread hashes": (key: number) => Math.imul(key, 2654435761) >>> 0,
    "few hashes": (key: number) => key % 3,
    "hashes that meet at the end of the table": (key: number) => (key % 4) + 0x7fff_fff0,
  }))
    it(`has what a Map would have, with ${what}`, () => {
      const steps = fc.array(fc.record({ key: fc.nat(60), removes: fc.boolean() }), { maxLength: 400, size: "max" });
      fc.assert(
        fc.property(steps, (taken) => {
          const table = newTable();
          const map = new Map<number, KeyedRecord>();
          for (const { key, removes } of taken) {
            const record = table.get(key, hashOf(key));
            assert.equal(record, map.get(key));
            if (record === undefined) map.set(key, table.add(key, hashOf(key), `key ${key}`, [undefined]));
            else if (removes) {
              table.remove(record);
              map.delete(key);
            }
            assert.equal(table.size, map.size);
          }
          assert.deepEqual(new Set(table.values()), new Set(map.values()));
          for (const [key, record] of map) assert.deepEqual([record.id, record.key], [key, `key ${key}`]);
          for (let key = 0; key <= 60; key++) assert.equal(table.get(key, hashOf(key)), map.get(key));
        }),
        { numRuns: 100 },
      );
    });

  it("gives a removed record to another key, unless a snapshot has yet to tell that it is gone", () => {
    const table = newTable();
    const record = table.add("a", 1, "a", []);
    table.remove(record);
    assert.equal(table.add("b", 2, "b", []), record);
    record.changedIn = 3;
    table.remove(record);
    const other = table.add("c", 3, "c", []);
    assert.notEqual(other, record);
    assert.deepEqual([record.id, record.key], ["b", "b"]);
    assert.equal(table.get("c", 3), other);
  });

  it("gives room back when few are left of many", () => {
    const table = newTable();
    const roomOf = (): number => (table as unknown as { slots: Int32Array }).slots.length;
    const keptOf = (): number => (table as unknown as { records: unknown[] }).records.length;
    const hash = (i: number): number => Math.imul(i, 2654435761) >>> 0;
    const many = Array.from({ length: 100_000 }, (_, i) => table.add(i, hash(i), i, []));
    const left = many.splice(-5);
    for (const record of many) table.remove(record);
    for (let i = 0; i < 500_000; i++) table.remove(table.add(i, hash(i), i, []));
    assert.ok(roomOf() <= 128 && keptOf() <= 32, `${roomOf()} slots and ${keptOf()} records for six`);
    for (const record of left) {
      assert.equal(table.get(record.id, record.hash), record);
      table.remove(record);
      assert.equal(table.get(record.id, record.hash), undefined);
    }
    assert.deepEqual([table.size, ...table.values()], [0]);
  });
});

describe("a record that serves another key", () => {
  it("has neither state nor timers of the one before", () => {
    const keys = keySpaceOf(new ValueCoder());
    const store = new KeyedStore(
      {
        keys,
        cells: [
          { kind: "value", id: "value" },
          { kind: "bag", id: "bag" },
        ],
        families: [{ id: "due", domain: "event" }],
        expirationFamily: undefined,
        allowedLatenessMs: 0,
      },
      () => 0,
    );
    const [value, bag, due] = [store.value("value"), store.bag("bag"), store.timers("due")];
    const timers = store.pendingTimers.event;
    for (let round = 0; round < 50; round++) {
      store.select(round, GlobalWindow.instance);
      assert.equal(value.read(), undefined);
      assert.deepEqual(bag.read(), []);
      value.write(round);
      bag.add(round);
      due.set("", 1000 + round, 1000 + round, true);
      for (let tag = 0; tag < round % 12; tag++) due.set(`tag ${tag}`, 2000 + round, 2000, true);
      if (round % 5 === 4) {
        store.rollback();
        assert.equal(timers.next, Infinity);
        continue;
      }
      store.commit();
      store.select(round, GlobalWindow.instance);
      assert.deepEqual([value.read(), bag.read(), timers.next], [round, [round], 1000 + round]);
      const timer = store.pendingTimers.next("event");
      const { record, tag } = timer;
      assert.deepEqual([record.key, tag], [round, ""]);
      value.clear();
      bag.clear();
      store.write(record);
      store.pendingTimers.take(timer);
      for (let other = 0; other < round % 12; other++) due.clear(`tag ${other}`);
      store.commit();
      assert.deepEqual(store.size, { windows: 1, records: 0 });
    }
  });
});
