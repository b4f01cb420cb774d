// Folders for what a process has on disk for as long as it lives.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** Processes are told apart by their number within a machine, or a container, that shares the parent with others. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
const NAME = new RegExp(`^beamstorm-[a-z]+-${HOST}-(\\d+)-`);
const swept = new Set<string>();

/**
 * Makes a folder for this process and its user alone (mode 0700). To remove it is the caller's; if the process is killed before it can, the next one that
 * makes a folder in the same place does.
 *
 * @param parent made if it is not there
 * @param kind lower-case letters, for people
 * @throws what the file system says
 */
export function makeProcessFolder(parent: string, kind: string): string {
  mkdirSync(parent, { recursive: true });
  if (!swept.has(parent)) removeStale(parent);
  swept.add(parent);
  return mkdtempSync(join(parent, prefixOf(kind, process.pid)));
}

/** How names of folders of a process on this machine begin. */
export const prefixOf = (kind: string, pid: number): string => `beamstorm-${kind}-${HOST}-${pid}-`;

function removeStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = Number(NAME.exec(name)?.[1] ?? NaN);
    if (!(pid > 0) || isAlive(pid)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // somebody else's, or going away by itself
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
