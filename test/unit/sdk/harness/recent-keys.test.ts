// Catches an entry given for another key, one that outlives a clear, and a table that never notices that it does not pay.
import assert from "node:assert/strict";
import fc from "fast-check";
import { RecentKeys } from "../../../../sdk/harness/recent-keys.js";

interface Entry {
  readonly key: unknown;
}

describe("RecentKeys", () => {
  it("gives the entry remembered last under an equal key, or nothing", () => {
    // Few letters, so that slots are shared.
    const key = fc.string({ unit: fc.constantFrom("a", "b", "\u0000", "\ud800", "é"), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 200 }), (steps) => {
        const recent = new RecentKeys<Entry>();
        const known = new Map<string, Entry>();
        for (const [text, remember] of steps) {
          const found = recent.get(text);
          if (found !== undefined) assert.equal(found, known.get(text));
          if (!remember) continue;
          const entry = { key: text };
          known.set(text, entry);
          recent.remember(text, entry);
          assert.equal(recent.get(text), entry);
        }
      }),
    );
  });

  it("has forgotten everything after a clear", () => {
    const recent = new RecentKeys<Entry>();
    recent.remember("a", { key: "a" });
    recent.clear();
    assert.equal(recent.get("a"), undefined);
  });

  it("steps aside while keys do not occur again, and tries once more later", () => {
    const recent = new RecentKeys<Entry>();
    const entry = { key: "a" };
    for (let i = 0; i < 5000; i++) recent.get(`never twice ${i}`);
    recent.remember("a", entry);
    assert.equal(recent.get("a"), undefined);
    for (let i = 0; i < 100_000; i++) recent.get(`never twice ${i}`);
    for (let i = 0; recent.get("a") === undefined && i < 100_000; i++) recent.remember("a", entry);
    assert.equal(recent.get("a"), entry);
  });
});
