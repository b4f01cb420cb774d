// A bag that spills, at any moments, against one that never does. Catches values lost, doubled or out of order between runs, keys that meet
// in memory but not on disk, groups that can be iterated once only, and files that stay.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ValueCoder } from "../../../portability/coders/index.js";
import { GlobalWindow, IntervalWindow } from "../../../portability/values/index.js";
import {
  HeapStore,
  KeyGroups,
  keySpaceOf,
  MemoryBudget,
  SpillError,
  SpillFolder,
  SpillingList,
  spillingStore,
  type BagCells,
  type Merge,
  type StateStore,
} from "../../../runner/store/index.js";

const coder = new ValueCoder();
const keys = keySpaceOf(coder);
const groups = new KeyGroups(8, keys);

const key = fc.oneof(
  fc.constantFrom<unknown>("a", "b", "ä", "\ud800", "", 0, -0, NaN, 1, 1n, true, null),
  fc.constantFrom<unknown>([1], ["1"], { k: 1 }, Uint8Array.of(1)),
);
const value = fc.oneof(fc.nat(), fc.string({ maxLength: 400 }), fc.constantFrom<unknown>(null, [1, { a: 2n }]));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key, value, window: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant("take" as const) },
);
const windows = [GlobalWindow.instance, new IntervalWindow(0, 10)];

describe("a bag that spills", () => {
  let parent: string;
  let folder: SpillFolder;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "beamstorm-test-"));
    folder = new SpillFolder(parent);
  });
  afterEach(() => {
    folder.remove();
    rmSync(parent, { recursive: true, force: true });
  });

  const storeOf = (limitBytes: number, merge?: Merge<unknown>): StateStore =>
    spillingStore(
      { groups, keyCoder: coder, valueCoder: coder, sizeOf: () => 150_000, budget: new MemoryBudget(limitBytes), folder, merge },
      3,
    );
  const contents = (entries: Iterable<[unknown, Iterable<unknown>]>): unknown[] =>
    [...entries]
      .map(([id, values]) => [`${typeof id} ${String(id)}`, [...values]])
      .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));

  it("has the groups of one that does not", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4_000_000 }), (steps, limitBytes) => {
        const spilling = storeOf(limitBytes).bag<unknown>("b");
        const heap = new HeapStore(groups).bag<unknown>("b");
        for (const each of steps) {
          if (each === "take") {
            for (const window of windows) assert.deepEqual(contents(spilling.at(window).takeAll()), contents(heap.at(window).takeAll()));
            continue;
          }
          const id = keys.identify(each.key);
          spilling.at(windows[each.window]).add(id, each.value);
          heap.at(windows[each.window]).add(id, each.value);
        }
        for (const window of windows) {
          assert.deepEqual(contents(spilling.at(window).entries()), contents(heap.at(window).entries()));
          assert.deepEqual(contents(spilling.at(window).takeAll()), contents(heap.at(window).takeAll()));
          spilling.drop(window);
        }
      }),
      // Keys that are written alike and are not the same once were one counterexample.
      {
        numRuns: 300,
        examples: [
          [
            [
              { key: 1n, value: 0, window: 0 },
              { key: 1, value: 1, window: 0 },
            ],
            1,
          ],
        ],
      },
    );
  });

  it("has values that come to the same if they are merged, whatever merges fail", () => {
    const number = fc.nat(1000);
    const additions = fc.array(fc.record({ key, value: number, window: fc.nat(1) }), { maxLength: 60 });
    fc.assert(
      fc.property(additions, fc.integer({ min: 1, max: 4_000_000 }), fc.integer({ min: 1, max: 20 }), (added, limitBytes, failing) => {
        let merges = 0;
        const merge: Merge<unknown> = (left, right) => (++merges % failing === 0 ? undefined : (left as number) + (right as number));
        const merging = storeOf(limitBytes, merge).bag<number>("b");
        const sums = new Map<string, number>();
        for (const each of added) {
          const id = keys.identify(each.key);
          merging.at(windows[each.window]).add(id, each.value);
          const place = `${each.window} ${typeof id} ${String(id)}`;
          sums.set(place, (sums.get(place) ?? 0) + each.value);
          const seen = [...merging.at(windows[each.window]).get(id)].reduce((sum, n) => sum + n, 0);
          assert.equal(seen, sums.get(place));
        }
        const sumsOf = (which: "entries" | "takeAll"): Map<string, number> =>
          new Map(
            windows.flatMap((window, i) =>
              [...merging.at(window)[which]()].map(([id, values]): [string, number] => [
                `${i} ${typeof id} ${String(id)}`,
                [...values].reduce((sum, n) => sum + n, 0),
              ]),
            ),
          );
        const sorted = (map: Map<string, number>): unknown[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(sorted(sumsOf("entries")), sorted(sums));
        assert.deepEqual(sorted(sumsOf("takeAll")), sorted(sums));
        assert.deepEqual(sorted(sumsOf("takeAll")), []);
        for (const window of windows) merging.drop(window);
      }),
      { numRuns: 200 },
    );
  });

  it("does not count as memory what merging has taken in", () => {
    const budget = new MemoryBudget(1_000_000);
    const sum: Merge<unknown> = (left, right) => (left as number) + (right as number);
    const parts = { groups, keyCoder: coder, valueCoder: coder, sizeOf: () => 150_000, budget, folder };
    const bag = spillingStore({ ...parts, merge: sum })
      .bag<number>("b")
      .at(windows[0]);
    for (let i = 0; i < 1000; i++) bag.add("a", 1);
    assert.equal(budget.usedBytes, 150_000);
    assert.deepEqual([...bag.get("a")], [1000]);
    const text: Merge<unknown> = (left, right) => (left as string) + (right as string);
    const texts = spillingStore({ ...parts, merge: text })
      .bag<string>("t")
      .at(windows[0]);
    for (let i = 0; i < 5; i++) texts.add("a", "x");
    assert.equal(budget.usedBytes, 150_000 * 6, "texts grow");
  });

  const filled = (): BagCells<string> => {
    const bag = storeOf(1_000_000).bag<string>("b").at(windows[0]);
    for (let i = 0; i < 3000; i++) bag.add(i % 3 === 0 ? "big" : `small ${i % 7}`, `${i} ${"x".repeat(i % 3 === 0 ? 500 : 5)}`);
    return bag;
  };

  it("lets a large group be iterated again, by several at a time, in the order of addition, and after the bag is gone", () => {
    const bag = filled();
    const big = [...bag.takeAll()].find(([id]) => id === "big")![1];
    bag.drop?.();
    assert.ok(!Array.isArray(big), "it was meant to stay on disk");
    const expected = Array.from({ length: 1000 }, (_, i) => i * 3);
    const numbers = (values: Iterable<string>): number[] => Array.from(values, (text) => Number.parseInt(text, 10));
    assert.deepEqual(numbers(big), expected);
    const [first, second] = [big[Symbol.iterator](), big[Symbol.iterator]()];
    for (const n of expected) for (const iterator of [first, second]) assert.equal(Number.parseInt(iterator.next().value as string, 10), n);
  });

  it("leaves nothing behind", () => {
    Array.from(filled().takeAll());
    assert.equal(readdirSync(parent).length, 1);
    folder.remove();
    assert.deepEqual(readdirSync(parent), []);
  });

  it("says which folder and which options when it cannot write there", () => {
    writeFileSync(join(parent, "file"), "");
    folder = new SpillFolder(join(parent, "file", "below"));
    assert.throws(
      filled,
      (error: unknown) => error instanceof SpillError && /spill folder .*file\/below fails .*--spill-dir.*--memory/.test(error.message),
    );
  });

  it("says so when the disk is full", () => {
    const error = Object.assign(new Error("no space"), { code: "ENOSPC" });
    const file = folder.newFile();
    Object.defineProperty(file, "open", {
      value: () => {
        throw error;
      },
    });
    file.append(new Uint8Array(10));
    assert.throws(() => file.flush(), /the spill folder .* is full; choose another one with --spill-dir/);
  });
});

describe("a list that spills", () => {
  let parent: string;
  let folder: SpillFolder;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "beamstorm-test-"));
    folder = new SpillFolder(parent);
  });
  afterEach(() => {
    folder.remove();
    rmSync(parent, { recursive: true, force: true });
  });

  it("has its values in order, and what it has given stays as it was", () => {
    const steps = fc.array(fc.oneof({ weight: 5, arbitrary: fc.record({ value }) }, fc.constantFrom("read" as const, "spill" as const)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4_000_000 }), (all, limitBytes) => {
        const list = new SpillingList<unknown>({ coder, sizeOf: () => 150_000, budget: new MemoryBudget(limitBytes), folder });
        const expected: unknown[] = [];
        const given: [found: Iterable<unknown> & { length: number }, expected: unknown[]][] = [];
        for (const each of all)
          if (each === "read") given.push([list.values, [...expected]]);
          else if (each === "spill") list.spill();
          else {
            list.add(each.value);
            expected.push(each.value);
          }
        given.push([list.values, expected]);
        assert.equal(list.values, list.values, "the same as long as nothing changes");
        list.drop();
        for (const [found, values] of given) {
          assert.equal(found.length, values.length);
          for (let times = 0; times < 2; times++) assert.deepEqual([...found], values);
        }
      }),
    );
  });

  it("gives its memory back", () => {
    const budget = new MemoryBudget(1_000_000);
    const list = new SpillingList<unknown>({ coder, sizeOf: () => 200_000, budget, folder });
    for (let i = 0; i < 20; i++) list.add(i);
    assert.ok(budget.usedBytes <= 1_000_000 && readdirSync(join(parent, readdirSync(parent)[0])).length === 1);
    list.drop();
    assert.equal(budget.usedBytes, 0);
    assert.deepEqual(readdirSync(join(parent, readdirSync(parent)[0])), []);
  });
});
