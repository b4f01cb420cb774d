import type { FileSystem, NewFile, Replacement } from "../../sdk/io/files/file-system.js";
import { localFiles } from "../../sdk/io/files/local-files.js";

/** The local file system of a process that dies in one of its steps: from then on nothing reaches the disk any more. */
export class CrashingFiles {
  private steps = 0;
  /** The step at which the process died. */
  died: string | undefined;

  /** @param at the number of the step, from 0: it is done still, although nobody hears of it */
  constructor(private readonly at: number) {}

  private async step<T>(
    what: string,
    act: () => Promise<T>,
    forget: (result: T) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<T> {
    if (this.died !== undefined) throw new Error("the process is dead");
    const isIt = this.steps++ === this.at;
    if (isIt) this.died = what;
    if (!isIt) return act();
    await forget(await act());
    throw new Error(`the process dies after ${what}`);
  }

  get files(): FileSystem {
    const step: typeof this.step = this.step.bind(this);
    const newFile = (file: NewFile): NewFile => ({
      path: file.path,
      write: (bytes) => step("write of a part", () => file.write(bytes)),
      close: () => step("close of a part", () => file.close()),
      abandon: () => (this.died === undefined ? step("abandon of a part", () => file.abandon()) : file.close()), // its memory goes, its file stays
    });
    const replacement = (file: Replacement): Replacement => ({
      write: (bytes) => step("write", () => file.write(bytes)),
      close: () => step("close", () => file.close()),
      abandon: () => (this.died === undefined ? step("abandon", () => file.abandon()) : file.close().then(() => undefined)),
    });
    return {
      ...localFiles,
      exists: (path) => step("exists", () => localFiles.exists(path)),
      create: async (path) =>
        newFile(
          await step(
            "create",
            () => localFiles.create(path),
            (file) => file.close(),
          ),
        ),
      replace: async (path, mark) =>
        replacement(
          await step(
            "replace",
            () => localFiles.replace(path, mark),
            (file) => file.close(),
          ),
        ),
      publish: (file) => step("publish", () => localFiles.publish(file)),
      abandon: (file) => step("abandon", () => localFiles.abandon(file)),
      remove: (path) => step("remove", () => localFiles.remove(path)),
      sweep: (folder, deep, isLeft) => step("sweep", () => localFiles.sweep(folder, deep, isLeft)),
    };
  }
}
