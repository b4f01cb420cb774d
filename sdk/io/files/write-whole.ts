import { iterableCoder, kvCoder, utf8Coder, type Coder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { composite, type PTransform } from "../../model/ptransform.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { output, parDo } from "../../transforms/par-do.js";
import type { WriteFormat } from "./file-format.js";
import type { FileSystem, PreparedFile, Replacement } from "./file-system.js";
import { fileName, type WriteTarget } from "./write-target.js";

/** A file that is complete, and the number of its shard. */
export interface WholeShard {
  readonly shard: number;
  readonly file: PreparedFile;
}

/** Records of a file that travel together: so a record costs no key, no window and no place in a group of its own. */
const BATCH_RECORDS = 256;

/** W1 of write-files.ts: the records of each file are brought together and written by one writer; gives what is to be published. */
export function writeWhole<T>(target: WriteTarget<T>, format: WriteFormat<T>): PTransform<PCollection<T>, PCollection<KV<string, string>>> {
  return composite("write files", (input: PCollection<T>) =>
    input
      .apply(batchByFile(target, input.coder as Coder<T>))
      .apply(groupByKey("gather records"))
      .apply(
        parDo("write file", {
          concurrency: 1,
          outputs: output<KV<string, string>>(),
          setup: ({ atEnd }) => {
            const files = new WholeFiles(target.files);
            atEnd(() => files.abandonAll()); // W4
            return files;
          },
          process: async ({ key, value }: KV<string, Iterable<Iterable<T>>>, { local, emit }) => {
            const slash = key.indexOf("/");
            const [shard, name] = [Number(key.slice(0, slash)), key.slice(slash + 1)];
            const file = await local.write(fileName(target, name, shard), format, value);
            emit(kv(name, JSON.stringify({ shard, file } satisfies WholeShard)));
          },
          teardown: ({ local }) => local.abandonOpen(),
        }),
      ),
  );
}

/** Batches of records, by `<number of the shard>/<destination>`. */
function batchByFile<T>(
  { destination, shards = 1 }: WriteTarget<T>,
  coder: Coder<T>,
): PTransform<PCollection<T>, PCollection<KV<string, Iterable<T>>>> {
  return parDo("batch by file", {
    outputs: output<KV<string, Iterable<T>>>(kvCoder(utf8Coder, iterableCoder(coder))),
    setup: () => ({ shard: 0, batches: new Map<string, T[]>() }),
    process(record: T, { local, emit }) {
      const { batches } = local;
      local.shard = (local.shard + 1) % shards; // in turn
      const key = `${local.shard}/${destination === undefined ? "" : destination(record)}`;
      const batch = batches.get(key);
      if (batch === undefined) batches.set(key, [record]);
      else if (batch.push(record) >= BATCH_RECORDS) {
        batches.delete(key);
        emit(kv(key, batch));
      }
    },
    finishBundle({ local: { batches }, emit }) {
      for (const [key, batch] of batches) emit(kv(key, batch));
      batches.clear();
    },
  });
}

/** The files that one task has begun. */
export class WholeFiles {
  private readonly prepared: PreparedFile[] = [];
  private readonly open = new Set<Replacement>();

  constructor(private readonly files: FileSystem) {}

  /** Writes a file that is complete and not yet visible. @throws Error naming it */
  async write<T>(path: string, format: WriteFormat<T>, batches: Iterable<Iterable<T>>): Promise<PreparedFile> {
    const file = await this.begin(path);
    try {
      const writer = format.open(file);
      for (const batch of batches)
        for (const record of batch) {
          const written = writer.write(record);
          if (written !== undefined) await written;
        }
      await writer.finish();
    } catch (cause) {
      throw this.files.failure("write", path, cause);
    }
    return this.finish(file, path);
  }

  async begin(path: string): Promise<Replacement> {
    try {
      const file = await this.files.replace(path);
      this.open.add(file);
      return file;
    } catch (cause) {
      throw this.files.failure("write", path, cause);
    }
  }

  async finish(file: Replacement, path: string): Promise<PreparedFile> {
    try {
      const prepared = await file.close();
      this.prepared.push(prepared);
      this.open.delete(file);
      return prepared;
    } catch (cause) {
      throw this.files.failure("write", path, cause);
    }
  }

  /** Those that are not complete: a call that has failed is made again, with files of its own. */
  async abandonOpen(): Promise<void> {
    const open = [...this.open];
    this.open.clear();
    for (const file of open) await file.abandon();
  }

  /** W4: those that were published are not touched. */
  async abandonAll(): Promise<void> {
    await this.abandonOpen();
    for (const file of this.prepared.splice(0)) await this.files.abandon(file);
  }
}
