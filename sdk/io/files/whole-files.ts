import type { SetupContext } from "../../model/do-fn.js";
import { compress } from "./compression.js";
import type { WriteFormat } from "./file-format.js";
import type { PreparedFile, Replacement } from "./file-system.js";
import { RunMarks, type Leftovers } from "./temporary-files.js";
import type { WriteTarget } from "./write-target.js";

/**
 * Files of windows that are remembered until they are published, which another task may do: more are never on their way to there, since that is
 * bounded by flow control.
 */
const REMEMBERED = 50_000;

/** The files that one task has begun. */
export class WholeFiles {
  private readonly prepared = new Map<string, PreparedFile>();
  private readonly open = new Set<Replacement>();
  private readonly marks: RunMarks;
  /** No call follows; some may be under way still. */
  private isOver = false;

  private constructor(
    private readonly target: Pick<WriteTarget<never>, "files" | "compression" | "windowed">,
    { checkpoints }: SetupContext,
  ) {
    this.marks = new RunMarks(checkpoints);
  }

  /** To be made in `setup`: what was not published in the end is removed (temporary-files.ts). */
  static async begin<T>(target: WriteTarget<T>, leftovers: Leftovers, context: SetupContext): Promise<WholeFiles> {
    const files = new WholeFiles(target, context);
    await leftovers.begin(context, () => files.abandonAll());
    return files;
  }

  /** Writes a file that is complete and not yet visible, for elements to refer to. @throws Error naming it */
  writeRecords<T>(path: string, format: WriteFormat<T>, batches: Iterable<Iterable<T>>): Promise<PreparedFile> {
    return this.write(path, recordBytes(format, batches), this.marks.referred);
  }

  /** The same for one that who asks for it publishes. */
  writeBlocks(path: string, blocks: AsyncIterable<Uint8Array>): Promise<PreparedFile> {
    return this.write(path, blocks, this.marks.passing);
  }

  /** Makes a file visible, of whatever task. @throws Error naming it */
  async publish(file: PreparedFile): Promise<void> {
    try {
      await this.target.files.publish(file);
    } catch (cause) {
      throw this.target.files.failure("write", file.path, cause);
    }
    this.prepared.delete(file.token);
  }

  /** Those that are not complete: a call that has failed is made again, with files of its own. */
  async abandonOpen(): Promise<void> {
    this.isOver = true;
    const open = [...this.open];
    this.open.clear();
    for (const file of open) await file.abandon();
  }

  /** Those that were published are not touched. */
  private async abandonAll(): Promise<void> {
    await this.abandonOpen();
    const prepared = [...this.prepared.values()];
    this.prepared.clear();
    for (const file of prepared) await this.target.files.abandon(file);
  }

  private async write(path: string, blocks: AsyncIterable<Uint8Array>, mark: string | undefined): Promise<PreparedFile> {
    const { files, compression, windowed } = this.target;
    try {
      const file = await files.replace(path, mark);
      this.open.add(file);
      if (this.isOver) await this.abandonOpen();
      for await (const bytes of compress(blocks, compression)) await file.write(bytes);
      const prepared = await file.close();
      this.prepared.set(prepared.token, prepared);
      if (windowed && this.prepared.size > REMEMBERED) this.prepared.delete(this.prepared.keys().next().value!);
      this.open.delete(file);
      return prepared;
    } catch (cause) {
      throw files.failure("write", path, cause);
    }
  }
}

/** The bytes of a file of these records. */
export async function* recordBytes<T>(format: WriteFormat<T>, batches: Iterable<Iterable<T>>): AsyncGenerator<Uint8Array> {
  if (format.header !== undefined) yield format.header;
  const written: Uint8Array[] = [];
  const writer = format.open({
    write(bytes) {
      written.push(Buffer.from(bytes)); // the caller may reuse them
      return Promise.resolve();
    },
  });
  for (const batch of batches)
    for (const record of batch) {
      const promise = writer.write(record);
      if (promise === undefined) continue;
      await promise;
      yield* written.splice(0);
    }
  await writer.finish();
  yield* written;
}
