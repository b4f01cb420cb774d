// State far larger than memory in a whole run: the same result, within the memory that there is, and nothing left on disk.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beamstorm } from "../support/run-cli.js";

const MB = 1 << 20;

describe("state ten times larger than memory", () => {
  let spillFolder: string;
  before(async () => (spillFolder = await mkdtemp(join(tmpdir(), "beamstorm-state-test-"))));
  after(() => rm(spillFolder, { recursive: true, force: true }));

  it("is all there, in a process whose heap could not hold it", async () => {
    const { code, stdout, message } = await beamstorm(
      ["run", "test/integration/fixtures/large-state.ts", "--memory", "64m", "--spill-dir", spillFolder],
      { nodeOptions: ["--max-old-space-size=96"] },
    );
    assert.equal(code, 0, message);
    const peak = Number(/^peak (\d+)$/m.exec(stdout)?.[1]);
    assert.ok(peak < 400 * MB, `${peak / MB} MB at the peak, of which the state alone has 610`);
    assert.deepEqual(await readdir(spillFolder), []);
  });
});
