import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RunFile } from "./run-file.js";

const PREFIX = "beamstorm-spill-";

/** State could not be written to the spill folder. */
export class SpillError extends Error {
  override readonly name = "SpillError";
}

/**
 * Where one worker puts what does not fit into memory: a folder of its own, made when it is first needed, for its user alone, and
 * removed with the worker. What dead processes of this machine have left is removed on the way.
 */
export class SpillFolder {
  private path: string | undefined;
  private files = 0;
  private readonly open = new Set<RunFile>();

  /** @param parent must exist, or be possible to make */
  constructor(private readonly parent: string) {}

  /** A new, empty file. @throws SpillError */
  newFile(): RunFile {
    return this.explained(() => {
      const path = join((this.path ??= this.make()), `run-${this.files++}`);
      const file = new RunFile(path, (action) => this.explained(action));
      this.open.add(file);
      return file;
    });
  }

  /** The file is not needed any more. Its bytes stay readable for who still holds on to it, until the folder is removed. */
  release(file: RunFile): void {
    file.unlink();
  }

  /** Removes everything. */
  remove(): void {
    for (const file of this.open) file.close();
    this.open.clear();
    if (this.path !== undefined) rmSync(this.path, { recursive: true, force: true });
    this.path = undefined;
  }

  private make(): string {
    mkdirSync(this.parent, { recursive: true });
    removeStale(this.parent);
    return mkdtempSync(join(this.parent, `${PREFIX}${process.pid}-`)); // mode 0700
  }

  private explained<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof SpillError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      const problem =
        code === "ENOSPC" || code === "EDQUOT"
          ? "is full"
          : code === "EACCES" || code === "EROFS"
            ? "is not writable"
            : `fails (${String(cause)})`;
      throw new SpillError(
        `the spill folder ${this.parent} ${problem}; choose another one with --spill-dir, or give the workers more --memory`,
        {
          cause,
        },
      );
    }
  }
}

function removeStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : NaN;
    if (!(pid > 0) || pid === process.pid || isAlive(pid)) continue;
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
