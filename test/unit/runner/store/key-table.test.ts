import assert from "node:assert/strict";
import { KeyTable } from "../../../../runner/store/key-table.js";

describe("KeyTable", () => {
  it("numbers keys in the order of their first appearance", () => {
    const table = new KeyTable();
    assert.deepEqual(
      ["a", "b", "a", "c", "b"].map((key) => table.numberOf(key, key.charCodeAt(0))),
      [0, 1, 0, 2, 1],
    );
    assert.deepEqual(table.keys, ["a", "b", "c"]);
  });

  for (const [what, hashOf] of Object.entries({
    "spread hashes": (i: number) => Math.imul(i, 2654435761) >>> 0,
    "hashes that agree in their low bits": (i: number) => (i << 7) >>> 0,
    "few hashes": (i: number) => i % 50,
  }))
    it(`keeps many keys apart with ${what}`, () => {
      const table = new KeyTable();
      for (let i = 0; i < 5000; i++) assert.equal(table.numberOf(`k${i}`, hashOf(i)), i);
      for (let i = 0; i < 5000; i++) {
        assert.equal(table.numberOf(`k${i}`, hashOf(i)), i);
        assert.equal(table.find(`k${i}`, hashOf(i)), i);
      }
      assert.equal(table.find("none", hashOf(1)), -1);
    });
});
