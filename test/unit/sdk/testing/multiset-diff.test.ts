import assert from "node:assert/strict";
import { renderElement } from "../../../../portability/stage-host/index.js";
import { kv } from "../../../../portability/values/index.js";
import { diffMultisets } from "../../../../sdk/testing/multiset-diff.js";

describe("the difference of two bags", () => {
  it("is nothing for equal ones in any order", () => {
    for (const [found, expected] of [
      [[], []],
      [
        [1, 2, 2],
        [2, 1, 2],
      ],
      [[kv("a", [1])], [{ value: [1], key: "a" }]],
      [
        [NaN, null, undefined, 1n],
        [1n, undefined, null, NaN],
      ],
      [
        [
          new Map([
            ["a", 1],
            ["b", 2],
          ]),
        ],
        [
          new Map([
            ["b", 2],
            ["a", 1],
          ]),
        ],
      ],
      [[new Set([1, 2])], [new Set([2, 1])]],
      [
        [new Date(5), Buffer.of(1, 2)],
        [Uint8Array.of(1, 2), new Date(5)],
      ],
    ] as [unknown[], unknown[]][])
      assert.equal(diffMultisets(found, expected), undefined);
  });

  it("tells apart what is not the same value", () => {
    for (const [a, b] of [
      [0, -0],
      [1, "1"],
      [1, 1n],
      [null, undefined],
      ["null", null],
      [
        [1, 2],
        [2, 1],
      ],
      [{ a: undefined }, {}],
      [[], {}],
      [new Set([1]), [1]],
      [Uint8Array.of(1), Uint8Array.of(2)],
      ["a, b", ["a", "b"]],
    ] as [unknown, unknown][])
      assert.notEqual(diffMultisets([a], [b]), undefined, `${renderElement(a)} and ${renderElement(b)}`);
  });

  it("lists what is missing and what is too much, as often as it is", () => {
    const lines = ["elements differ: 3 expected, 3 found", '  - missing:    {key: "k", value: 1}', '  + unexpected: "b"'];
    assert.equal(diffMultisets(["a", "b", "b"], ["a", kv("k", 1), "b"]), lines.join("\n"));
  });

  it("shows a bounded number of elements", () => {
    const lines = (
      diffMultisets(
        [],
        Array.from({ length: 100 }, (_, i) => i),
      ) ?? ""
    ).split("\n");
    assert.equal(lines.length, 22);
    assert.equal(lines.at(-1), "  - missing:    … and 80 more");
  });
});
