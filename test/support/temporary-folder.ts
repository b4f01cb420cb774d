import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for each test of the suite that this is called in, gone when the test is over. */
export function temporaryFolder(): { readonly path: string } {
  const folder = { path: "" };
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), "beamstorm-test-"));
  });
  afterEach(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
