import assert from "node:assert/strict";
import { forkLauncher, workerExecArgv } from "../../../local/fork-launcher.js";

describe("workerExecArgv", () => {
  it("keeps loaders, and leaves out what a worker would run instead of its own program", () => {
    assert.deepEqual(
      workerExecArgv(["--import=./register.mjs", "--input-type=module", "-e", "run()", "--enable-source-maps", "--eval=run()", "-p", "1"]),
      ["--import=./register.mjs", "--enable-source-maps"],
    );
    assert.deepEqual(workerExecArgv(["--input-type", "module", "--inspect-brk=0", "--max-old-space-size=99"]), ["--max-old-space-size=99"]);
  });
});

describe("forkLauncher", () => {
  it("starts no worker from within a worker", async () => {
    process.env.BEAMSTORM_WORKER = "0";
    try {
      const launcher = forkLauncher({ module: "file:///none.mjs", exportName: "default", options: {}, fingerprint: "" });
      await assert.rejects(launcher.launch(1), /from within a worker/);
    } finally {
      delete process.env.BEAMSTORM_WORKER;
    }
  });
});
