// Groups beyond memory in a whole run: the same result, and nothing left on disk, however the run ends.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, type PipelineDefinition } from "beamstorm";
import { local, type LocalOptions } from "beamstorm/local";
import { bundleProgram, type BundledProgram } from "../../local/bundle-program.js";
import type * as Fixture from "./fixtures/spill.js";

describe("groups beyond memory", () => {
  let program: BundledProgram;
  let large: typeof Fixture.large;
  let largeSideInput: typeof Fixture.largeSideInput;
  let spillFolder: string;
  before(async () => {
    program = await bundleProgram(fileURLToPath(new URL("./fixtures/spill.ts", import.meta.url)));
    ({ large, largeSideInput } = (await import(program.module)) as typeof Fixture);
    spillFolder = await mkdtemp(join(tmpdir(), "beamstorm-spill-test-"));
  });
  after(async () => {
    await rm(spillFolder, { recursive: true, force: true });
    await program.dispose();
  });

  const runner = (workers: number, more: LocalOptions = {}) =>
    local({ workers, module: program.module, exportName: "large", spillFolder, runtime: { stateBytes: 2_000_000 }, ...more });

  for (const workers of [1, 2])
    context(`with ${workers} workers`, () => {
      it("are whole, and can be iterated twice", async () => {
        await run(large, {}, runner(workers));
        assert.deepEqual(await readdir(spillFolder), []);
      });

      it("are side inputs, too, that stay on disk while they are iterated", async () => {
        await run(largeSideInput, {}, runner(workers, { exportName: "largeSideInput" }));
        assert.deepEqual(await readdir(spillFolder), []);
      });

      it("leave nothing on disk when the run fails", async () => {
        await assert.rejects(run(large, { failAt: 30_000 }, runner(workers)), /as asked/);
        assert.deepEqual(await readdir(spillFolder), []);
      });

      it("leave nothing on disk when the run is cancelled", async () => {
        const started = await runner(workers).start(large as unknown as PipelineDefinition, {});
        const spilled = new Promise<void>((resolve) => {
          const look = (): void => void readdir(spillFolder).then((names) => (names.length > 0 ? resolve() : setImmediate(look)));
          look();
        });
        await Promise.race([spilled, started.result()]);
        await started.cancel();
        assert.equal(started.state, "CANCELLED");
        assert.deepEqual(await readdir(spillFolder), []);
      });
    });

  it("name the folder and the options when they cannot be written", async () => {
    const missing = join(fileURLToPath(import.meta.url), "below-a-file");
    await assert.rejects(run(large, {}, runner(1, { spillFolder: missing })), /the spill folder .*below-a-file fails .*--spill-dir/);
  });
});
