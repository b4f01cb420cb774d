import { kvCoder, utf8Coder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { output, parDo } from "../../transforms/par-do.js";
import type { RecordWriter, WriteFormat } from "./file-format.js";
import { temporaryName } from "./file-names.js";
import type { NewFile } from "./file-system.js";
import { RunMarks, type Leftovers } from "./temporary-files.js";
import { fileName, type WriteTarget } from "./write-target.js";

/** Files that a bundle has open at a time; one more closes the one that was opened first. */
const OPEN_FILES = 64;

/** W1 of write-files.ts: each bundle writes a part for each destination, and gives their names. */
export function writeParts<T>(
  target: WriteTarget<T>,
  format: WriteFormat<T>,
  leftovers: Leftovers,
): PTransform<PCollection<T>, PCollection<KV<string, string>>> {
  return parDo("write bundles", {
    concurrency: 1,
    outputs: output<KV<string, string>>(kvCoder(utf8Coder, utf8Coder)),
    setup: async (context) => {
      const parts = new BundleParts(target, format, new RunMarks(context.checkpoints));
      await leftovers.begin(context, () => parts.removeAll());
      return parts;
    },
    process: (element: T, { local }) => local.add(element),
    finishBundle: async ({ local, emit }) => {
      for (const part of await local.finish()) emit(part);
    },
    teardown: ({ local }) => local.discard(),
  });
}

interface Part<T> {
  readonly path: string;
  readonly writer: RecordWriter<T>;
  /** The file, from the first byte on. */
  file: NewFile | undefined;
}

/** The temporary files of the bundle that is running. */
class BundleParts<T> {
  private readonly open = new Map<string, Part<T>>();
  private readonly written: string[] = [];
  private complete: KV<string, string>[] = [];
  private lastName: string | undefined;
  private last: Part<T> | undefined;
  /** No bundle follows; calls may be under way still. */
  private isOver = false;

  constructor(
    private readonly target: WriteTarget<T>,
    private readonly format: WriteFormat<T>,
    private readonly marks: RunMarks,
  ) {}

  /** A promise only when something has to be written. */
  add(element: T): void | Promise<void> {
    const { destination } = this.target;
    const name = destination === undefined ? "" : destination(element);
    if (name !== this.lastName || this.last === undefined) {
      const found = this.open.get(name);
      if (found === undefined) return this.addFirst(name, element);
      this.lastName = name;
      this.last = found;
    }
    return this.last.writer.write(element);
  }

  /** The parts of the bundle, by their destinations; none if nothing was added. */
  async finish(): Promise<readonly KV<string, string>[]> {
    for (const name of this.open.keys()) await this.finishPart(name);
    const { complete } = this;
    this.complete = [];
    return complete;
  }

  /** Those that became part of the target are gone already. */
  async removeAll(): Promise<void> {
    await this.discard();
    for (const path of this.written) await this.target.files.remove(path);
  }

  async discard(): Promise<void> {
    this.isOver = true;
    const open = [...this.open.values()];
    this.open.clear();
    this.last = undefined;
    for (const { file } of open) await file?.abandon();
  }

  private async addFirst(name: string, element: T): Promise<void> {
    for (const oldest of this.open.keys()) {
      if (this.open.size < OPEN_FILES) break;
      await this.finishPart(oldest);
    }
    const path = fileName(this.target, name, 0);
    const part: Part<T> = { path, file: undefined, writer: this.format.open({ write: (bytes) => this.writeBytes(part, bytes) }) };
    this.open.set(name, part);
    this.lastName = name;
    this.last = part;
    await part.writer.write(element);
  }

  private async writeBytes(part: Part<T>, bytes: Uint8Array): Promise<void> {
    try {
      part.file ??= await this.begin(part);
      await part.file.write(bytes);
    } catch (cause) {
      throw this.target.files.failure("write", part.path, cause);
    }
  }

  private async begin({ path }: Part<T>): Promise<NewFile> {
    const file = await this.target.files.create(temporaryName(path, this.marks.referred));
    if (this.isOver) await file.abandon();
    return file;
  }

  private async finishPart(name: string): Promise<void> {
    const part = this.open.get(name)!;
    await part.writer.finish();
    const { file } = part;
    if (file !== undefined) {
      try {
        await file.close();
      } catch (cause) {
        throw this.target.files.failure("write", part.path, cause); // the file is removed by `discard`
      }
      this.written.push(file.path);
      this.complete.push(kv(name, file.path));
    }
    this.open.delete(name);
    if (this.last === part) this.last = undefined;
  }
}
