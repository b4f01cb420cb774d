// A hundred thousand calls and connections that are nearly right, at every service of a job server.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { knock } from "../support/door.js";

const KNOCKS = 100_000;
/** More than what jobs that are over may take. */
const MAX_GROWTH = 200 << 20;

describe("the ports of a job server, at length", function () {
  this.timeout(600_000);

  it(`answer ${KNOCKS} calls that are nearly right, each with a status and a sentence, and keep nothing`, async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    await knock(1000, 0);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const parts = 10;
    for (let seed = 1; seed <= parts; seed++) await knock(KNOCKS / parts, seed);
    collectGarbage();
    const growth = process.memoryUsage().heapUsed - before;
    assert.ok(growth < MAX_GROWTH, `${growth} bytes are left of it`);
  });
});
