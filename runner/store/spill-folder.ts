import { rmSync } from "node:fs";
import { join } from "node:path";
import { makeProcessFolder } from "./process-folder.js";
import { RunFile } from "./run-file.js";

/** State could not be written to the spill folder. */
export class SpillError extends Error {
  override readonly name = "SpillError";
}

/**
 * Where one worker puts what does not fit into memory: a folder of its own, made when it is first needed, for its user alone, and
 * removed with the worker.
 */
export class SpillFolder {
  private path: string | undefined;
  private files = 0;
  private readonly open = new Set<RunFile>();
  /** Files that nobody needs but who still iterates over what is in them: they are closed when that is forgotten. */
  private readonly released = new Set<WeakRef<RunFile>>();
  /** Files of others that are read, by path, and by how many. */
  private readonly borrowed = new Map<string, { readonly file: RunFile; users: number }>();

  /** @param parent must exist, or be possible to make */
  constructor(private readonly parent: string) {}

  /** A new, empty file. @throws SpillError */
  newFile(): RunFile {
    for (const file of this.released) if (file.deref() === undefined) this.released.delete(file);
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
    this.open.delete(file);
    this.released.add(new WeakRef(file));
  }

  /**
   * A file of somebody else's, who does not change it and may delete it at any time: it stays readable until it is given back, as often as it was
   * borrowed, or until the folder is removed. Undefined if it cannot be opened.
   */
  borrow(path: string): RunFile | undefined {
    let borrowed = this.borrowed.get(path);
    if (borrowed === undefined) {
      try {
        borrowed = { file: new RunFile(path, (action) => this.explained(action), false), users: 0 };
      } catch {
        return undefined;
      }
      this.borrowed.set(path, borrowed);
    }
    borrowed.users++;
    return borrowed.file;
  }

  giveBack(file: RunFile): void {
    const borrowed = this.borrowed.get(file.path);
    if (borrowed?.file !== file || --borrowed.users > 0) return;
    this.borrowed.delete(file.path);
    file.close();
  }

  /** Removes everything. */
  remove(): void {
    for (const file of this.open) file.close();
    for (const { file } of this.borrowed.values()) file.close();
    this.borrowed.clear();
    for (const file of this.released) file.deref()?.close();
    this.open.clear();
    this.released.clear();
    if (this.path !== undefined) rmSync(this.path, { recursive: true, force: true });
    this.path = undefined;
  }

  private make(): string {
    return makeProcessFolder(this.parent, "spill");
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
