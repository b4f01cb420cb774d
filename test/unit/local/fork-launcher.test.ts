import assert from "node:assert/strict";
import { forkLauncher, workerExecArgv } from "../../../local/fork-launcher.js";
import type { WorkerPort } from "../../../runner/index.js";

describe("workerExecArgv", () => {
  it("keeps loaders, and leaves out what a worker would run instead of its own program", () => {
    assert.deepEqual(
      workerExecArgv(["--import=./register.mjs", "--input-type=module", "-e", "run()", "--enable-source-maps", "--eval=run()", "-p", "1"]),
      ["--import=./register.mjs", "--enable-source-maps"],
    );
    assert.deepEqual(workerExecArgv(["--input-type", "module", "--inspect-brk=0", "--max-old-space-size=99"]), ["--max-old-space-size=99"]);
  });
});

const spec = { module: "file:///none.mjs", exportName: "default", options: {}, fingerprint: "" };

describe("forkLauncher", () => {
  it("starts no worker from within a worker", async () => {
    process.env.BEAMSTORM_WORKER = "0";
    try {
      const launcher = forkLauncher(spec);
      await assert.rejects(launcher.launch(1), /from within a worker/);
    } finally {
      delete process.env.BEAMSTORM_WORKER;
    }
  });

  context("when a worker has stopped by itself", () => {
    const pidOf = ({ name }: WorkerPort): number => Number(/pid (\d+)/.exec(name)![1]);
    const isRunning = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };

    /** Resolves with what it says until it has stopped. */
    function stopped(port: WorkerPort): Promise<string[]> {
      const said: string[] = [];
      return new Promise((resolve, reject) => {
        port.listen({
          message({ type }) {
            said.push(type);
            if (type === "stopped") resolve(said);
          },
          exited: (how) => reject(new Error(how)),
        });
        port.send({ type: "stop", isComplete: false });
      });
    }

    it("has its process serve again, for any index, as a worker that has done nothing", async () => {
      const launcher = forkLauncher(spec);
      const first = await launcher.launch(0);
      await stopped(first);
      first.release!();
      const [second, third] = [await launcher.launch(1), await launcher.launch(2)];
      assert.equal(pidOf(second), pidOf(first));
      assert.match(second.name, /^worker 1 /);
      assert.notEqual(pidOf(third), pidOf(first));
      assert.deepEqual(await stopped(second), ["stopped"]);
      for (const port of [second, third]) await port.close();
      assert.ok(![second, third].some((port) => isRunning(pidOf(port))));
    });

    it("does not count on a process that has died since, and ends those that nobody wants", async () => {
      const launcher = forkLauncher(spec);
      const ports = [await launcher.launch(0), await launcher.launch(1)];
      for (const port of ports) await stopped(port);
      for (const port of ports) port.release!();
      const dead = pidOf(ports[1]);
      process.kill(dead, "SIGKILL");
      while (isRunning(dead)) await new Promise((resolve) => setImmediate(resolve));
      const next = await launcher.launch(0);
      assert.equal(pidOf(next), pidOf(ports[0]));
      await stopped(next);
      next.release!();
      await launcher.close!();
      assert.ok(!isRunning(pidOf(next)));
    });
  });
});
