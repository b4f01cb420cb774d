import assert from "node:assert/strict";
import { utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import { UserCodeError, type WindowMerger } from "../../../../portability/stage-host/index.js";
import { ElementMeta, kv, NO_FIRING, OpaqueWindow, type KV, type Window } from "../../../../portability/values/index.js";
import { WindowMergingHead } from "../../../../runner/runtime/index.js";
import { keySpaceOf } from "../../../../runner/store/index.js";
import { DEFAULT_GROUPING, GroupIntoPanes } from "../../../../runner/windows/index.js";

const named = (name: string, end: number): Window => new OpaqueWindow(end, Buffer.from(name));
const nameOf = (window: Window): string => Buffer.from((window as OpaqueWindow).encoded).toString();

/** Windows merge by the first letter of their names, into one that ends with the last of them. */
const byLetter: WindowMerger = (keys) =>
  Promise.resolve(
    keys.map((windows) =>
      [...new Set(windows.map((window) => nameOf(window)[0]))].map((letter) => {
        const parts = windows.filter((window) => nameOf(window).startsWith(letter));
        return { windows: parts, into: named(letter, Math.max(...parts.map(({ maxTimestamp }) => maxTimestamp))) };
      }),
    ),
  );

describe("WindowMergingHead", () => {
  let panes: string[];
  let asked: string[][];
  let head: WindowMergingHead;

  const open = (merger: WindowMerger = byLetter): void => {
    panes = [];
    asked = [];
    const keys = keySpaceOf(utf8Coder as Coder<unknown>);
    const recording: WindowMerger = (windows) => {
      asked.push(windows.map((each) => each.map(nameOf).sort().join()));
      return merger(windows);
    };
    head = new WindowMergingHead(
      recording,
      keys,
      2,
      (merge) =>
        new GroupIntoPanes(
          { ...DEFAULT_GROUPING, merge },
          keys,
          (value, { windows }) => {
            const { key, value: values } = value as KV<string, readonly number[]>;
            panes.push(`${key} ${nameOf(windows[0])} ${[...values].sort((a, b) => a - b).join(" ")}`);
          },
          () => 0,
        ),
    );
  };

  const give = (key: string, value: number, ...windows: Window[]): void =>
    head.process(kv(key, value), new ElementMeta(0, windows, NO_FIRING));
  const settle = async (): Promise<void> => {
    while (head.draining) {
      head.drain(() => false);
      await head.blocked();
    }
  };
  const end = async (watermark: number): Promise<string[]> => {
    head.advance(watermark);
    await settle();
    return panes.splice(0).sort();
  };

  beforeEach(() => open());

  it("asks about all keys of what came at once, and once about each window", async () => {
    give("k", 1, named("a1", 10));
    give("k", 2, named("a2", 20), named("b1", 5));
    give("k", 3, named("a1", 10));
    give("l", 4, named("a3", 30));
    assert.equal(head.draining, true);
    await settle();
    assert.deepEqual(asked, [["a1,a2,b1", "a3"]]);
    assert.deepEqual(await end(100), ["k a 1 2 3", "k b 2", "l a 4"]);
  });

  it("merges what comes with the windows that its key has already, and those alone", async () => {
    give("k", 1, named("a1", 10));
    give("l", 9, named("a9", 10));
    await settle();
    give("k", 2, named("a2", 20));
    await settle();
    assert.deepEqual(asked[1], ["a,a2"]);
    assert.deepEqual(await end(15), ["l a 9"]);
    assert.deepEqual(await end(25), ["k a 1 2"]);
  });

  it("drops what is late for the merged window, not for its own", async () => {
    give("k", 1, named("a1", 40));
    await settle();
    assert.deepEqual(await end(30), []);
    give("k", 2, named("a2", 20));
    give("k", 3, named("b1", 20));
    await settle();
    assert.equal(head.droppedLate, 1);
    assert.deepEqual(await end(50), ["k a 1 2"]);
  });

  it("asks again about the same windows when that has failed", async () => {
    let fails = true;
    open((windows) => (fails ? Promise.reject(new Error("not today")) : byLetter(windows)));
    give("k", 1, named("a1", 10));
    await assert.rejects(settle(), /not today/);
    fails = false;
    await settle();
    assert.deepEqual(asked, [["a1"], ["a1"]]);
    assert.deepEqual(await end(20), ["k a 1"]);
  });

  it("gives up when user code fails again and again", async () => {
    open(() => Promise.reject(new UserCodeError({ transform: "windows" }, "merging failed", new Error("never"))));
    give("k", 1, named("a1", 10));
    const failure = async (): Promise<unknown> =>
      settle().then(
        () => assert.fail(),
        (error: unknown) => error,
      );
    const failures = [await failure(), await failure()].map((error) => (error as UserCodeError).isPermanent);
    assert.deepEqual(failures, [false, true]);
  });
});
