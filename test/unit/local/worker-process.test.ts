import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { local } from "../../../local/index.js";
import { CancelledError, UserCodeError } from "../../../portability/stage-host/index.js";
import type { Run } from "../../../sdk/index.js";
import keyedSums from "../../support/programs/keyed-sums.js";

const module = new URL("../../support/programs/keyed-sums.ts", import.meta.url).href;

const start = (misdeed: string): Promise<Run> => local({ workers: 2, module }).start(keyedSums as never, { misdeed });

describe("worker processes", () => {
  it("run a pipeline together", async () => {
    const run = await start("none");
    const { elements } = await run.result();
    assert.equal(elements.get("misbehave"), 50);
    assert.equal(run.state, "DONE");
  });

  it("report an error of user code as what it is", async () => {
    await assert.rejects((await start("throw")).result(), (error) => {
      assert.ok(error instanceof UserCodeError);
      assert.match(error.message, /misbehave.*not this one/);
      assert.equal((error.cause as Error).name, "RangeError");
      return true;
    });
  });

  it("fail the run, named and with how they ended, when one is gone", async () => {
    await assert.rejects((await start("exit")).result(), /worker \d \(pid \d+\) is gone: exit code 3/);
    await assert.rejects((await start("die")).result(), /worker \d \(pid \d+\) is gone: signal SIGKILL/);
  });

  for (const misdeed of ["wait", "spin"])
    it(`end when the run is cancelled, though user code would ${misdeed} for ever`, async () => {
      const run = await start(misdeed);
      setTimeout(() => void run.cancel(), 1500);
      await assert.rejects(run.result(), CancelledError);
      assert.equal(run.state, "CANCELLED");
    });

  it("end when the process that started them is killed", async () => {
    const parent = spawn(
      process.execPath,
      [...process.execArgv, fileURLToPath(new URL("../../support/programs/run-announcing.ts", import.meta.url))],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const pids = new Set<number>();
    for await (const line of createInterface({ input: parent.stdout })) {
      pids.add(Number(/worker (\d+)/.exec(line)![1]));
      if (pids.size === 2) break;
    }
    parent.kill("SIGKILL");
    for (let tries = 0; [...pids].some(isAlive); tries++) {
      assert.ok(tries < 200, "workers outlive their parent");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}).timeout(60_000);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
