// A bag that spills, at any moments, against one that never does. Catches values lost, doubled or out of order between runs, keys that meet
// in memory but not on disk, groups that can be iterated once only, and files that stay.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
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
  spillingStore,
  type BagCells,
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

  const storeOf = (limitBytes: number): StateStore =>
    spillingStore({ groups, keyCoder: coder, valueCoder: coder, sizeOf: () => 150_000, budget: new MemoryBudget(limitBytes), folder }, 3);
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

  it("removes what dead processes have left, and nothing else", () => {
    mkdirSync(join(parent, "beamstorm-spill-999999999-x"));
    mkdirSync(join(parent, `beamstorm-spill-${process.ppid}-x`));
    mkdirSync(join(parent, "other"));
    filled();
    assert.equal(existsSync(join(parent, "beamstorm-spill-999999999-x")), false);
    assert.equal(existsSync(join(parent, `beamstorm-spill-${process.ppid}-x`)), true);
    assert.equal(existsSync(join(parent, "other")), true);
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
