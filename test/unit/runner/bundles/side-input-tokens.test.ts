import assert from "node:assert/strict";
import { IntervalWindow, type Window } from "../../../../portability/values/index.js";
import { tokenOf } from "../../../../runner/bundles/side-input-tokens.js";

const windowAt = (start: number): Window => new IntervalWindow(start, start + 1000);

describe("SideInputToken", () => {
  /** A side input by the starts of its windows. */
  const world = () => {
    const content = new Map<number, readonly unknown[]>();
    const none: readonly unknown[] = [];
    const sideInput = { values: (window: Window) => content.get(window.maxTimestamp + 1 - 1000) ?? none };
    const token = tokenOf(sideInput);
    const ask = (start: number): void => token.gives(`${start}`, windowAt(start), sideInput.values(windowAt(start)));
    const now = (): string => Buffer.from(token.token()).toString();
    return { content, sideInput, ask, now };
  };

  it("stays as long as what was given is the content, whatever comes in other windows", () => {
    const { content, ask, now } = world();
    content.set(0, ["a"]);
    const first = now();
    ask(0);
    content.set(1000, ["b"]);
    assert.equal(now(), first);
    ask(1000);
    assert.equal(now(), first);
  });

  it("changes when a window that was given has something else, and back is none of those before", () => {
    const { content, ask, now } = world();
    const before = ["a"];
    const seen = new Set([now()]);
    for (const values of [before, ["a", "b"], before]) {
      content.set(0, values);
      seen.add(now());
      ask(0);
    }
    content.set(0, ["c"]);
    seen.add(now());
    assert.equal(seen.size, 4);
  });

  it("changes when a window that was empty has something", () => {
    const { content, ask, now } = world();
    ask(0);
    const first = now();
    content.set(0, ["a"]);
    assert.notEqual(now(), first);
  });

  it("changes for what a harness was given first, though it was given the later content as well", () => {
    const { content, ask, now } = world();
    content.set(0, ["a"]);
    const first = now();
    ask(0);
    content.set(0, ["b"]);
    ask(0);
    assert.notEqual(now(), first);
  });

  it("stays when a window is gone", () => {
    const { content, ask, now } = world();
    for (const start of [0, 1000]) content.set(start, [start]);
    const first = now();
    for (const start of [0, 1000]) ask(start);
    content.delete(0);
    assert.equal(now(), first);
    content.set(1000, []);
    assert.equal(now(), first);
  });

  it("remembers so many windows, and begins anew beyond", () => {
    const { ask, now } = world();
    const first = now();
    for (let i = 0; i < 256; i++) ask(i * 1000);
    assert.equal(now(), first);
    ask(256_000);
    assert.notEqual(now(), first);
  });

  it("is one for all who read the same side input, and another for each other one", () => {
    const one = world();
    const other = world();
    assert.equal(tokenOf(one.sideInput), tokenOf(one.sideInput));
    assert.notEqual(one.now(), other.now());
  });
});
