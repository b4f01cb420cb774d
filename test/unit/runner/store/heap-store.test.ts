import assert from "node:assert/strict";
import { utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import { GlobalWindow, IntervalWindow, OpaqueWindow } from "../../../../portability/values/index.js";
import { HeapStore, KeyGroups, keySpaceOf } from "../../../../runner/store/index.js";

const groups = new KeyGroups(8, keySpaceOf(utf8Coder as Coder<unknown>));
const window = GlobalWindow.instance;

for (const [name, splitAt] of [
  ["whole", 1_000_000],
  ["split by key group", 3],
] as const)
  describe(`HeapStore, ${name}`, () => {
    const expected = Object.fromEntries(Array.from({ length: 40 }, (_, k) => [`k${k}`, Array.from({ length: 25 }, (_, i) => k + i * 40)]));

    function filledBag() {
      const bag = new HeapStore(groups, splitAt).bag<number>("b").at(window);
      for (let i = 0; i < 1000; i++) bag.add(`k${i % 40}`, i);
      return bag;
    }

    it("keeps the values of a bag by key, in order", () => {
      const bag = filledBag();
      assert.deepEqual(bag.get("k7"), expected.k7);
      assert.deepEqual(bag.get("none"), []);
      assert.deepEqual(Object.fromEntries(bag.entries()), expected);
    });

    it("gives everything away once", () => {
      const bag = filledBag();
      assert.deepEqual(Object.fromEntries(bag.takeAll()), expected);
      assert.deepEqual([...bag.entries()], []);
    });

    it("keeps one value in a value cell", () => {
      const cells = new HeapStore(groups, splitAt).value<number>("v").at(window);
      for (let i = 0; i < 100; i++) cells.set(`k${i % 10}`, i);
      assert.equal(cells.size, 10);
      assert.equal(cells.get("k3"), 93);
      cells.delete("k3");
      assert.equal(cells.get("k3"), undefined);
      assert.equal(cells.size, 9);
    });

    it("keeps windows apart by value, and forgets a dropped one", () => {
      const cell = new HeapStore(groups, splitAt).value<number>("v");
      cell.at(new IntervalWindow(0, 10)).set("a", 1);
      cell.at(new IntervalWindow(0, 20)).set("a", 2);
      cell.at(new OpaqueWindow(9, Uint8Array.of(1, 2))).set("a", 3);
      assert.equal(cell.at(new IntervalWindow(0, 10)).get("a"), 1);
      assert.equal(cell.at(new IntervalWindow(0, 20)).get("a"), 2);
      assert.equal(cell.at(new OpaqueWindow(9, Uint8Array.of(1, 2))).get("a"), 3);
      assert.equal(cell.at(new OpaqueWindow(9, Uint8Array.of(2, 1))).get("a"), undefined);
      cell.drop(new IntervalWindow(0, 10));
      assert.equal(cell.at(new IntervalWindow(0, 10)).get("a"), undefined);
      assert.equal(cell.at(new IntervalWindow(0, 20)).get("a"), 2);
    });
  });
