import assert from "node:assert/strict";
import { parseMemory } from "../../../cli/parse-size.js";

describe("parseMemory", () => {
  for (const [text, bytes] of [
    ["512m", 512 * 2 ** 20],
    ["1g", 2 ** 30],
    ["1.5 GiB", 1.5 * 2 ** 30],
    ["2GB", 2 ** 31],
    ["134217728", 2 ** 27],
  ] as const)
    it(`reads ${text}`, () => assert.equal(parseMemory(text), bytes));

  for (const text of ["", "much", "-1g", "1x", "1e3", "NaN"])
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseMemory(text), /such as 512m/));
  it("refuses too little", () => assert.throws(() => parseMemory("1m"), /at least 64m/));
});
