import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { makeProcessFolder, prefixOf } from "../../../../runner/store/process-folder.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

/** Greater than any that a process can have. */
const DEAD = 999_999_999;

describe("A process's folder", () => {
  const parent = temporaryFolder();

  it("is its user's alone", () => {
    assert.equal(statSync(makeProcessFolder(parent.path, "spill")).mode & 0o777, 0o700);
  });

  it("takes away what dead processes have left, of any kind, and nothing else", () => {
    const kept = [`${prefixOf("link", process.ppid)}x`, `${prefixOf("link", process.pid)}x`, "beamstorm-spill-123-x", "other"];
    for (const name of [...kept, `${prefixOf("spill", DEAD)}x`, `${prefixOf("program", DEAD)}y`]) {
      mkdirSync(join(parent.path, name, "inside"), { recursive: true });
    }
    const made = basename(makeProcessFolder(parent.path, "spill"));
    assert.deepEqual(readdirSync(parent.path).toSorted(), [...kept, made].toSorted());
  });

  it("is made where there was no parent", () => {
    const made = makeProcessFolder(join(parent.path, "a", "b"), "spill");
    assert.deepEqual(readdirSync(join(parent.path, "a", "b")), [basename(made)]);
  });
});
