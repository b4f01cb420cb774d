// Reading and writing files of any format on the local file system: matching, opening, and publishing whole files.
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { iterableCoder, kvCoder, varintCoder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatMap, map } from "../../transforms/elementwise.js";
import { flatten } from "../../transforms/flatten.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { output, parDo } from "../../transforms/par-do.js";
import { reshuffle } from "../../transforms/reshuffle.js";
import { global, windowInto } from "../../transforms/window-into.js";
import { withCoder } from "../../transforms/with-coder.js";
import { blocksOf, decompressed } from "../text/file-blocks.js";
import { fileRanges, readError, type FileRange } from "../text/file-ranges.js";
import { writeError } from "../text/text-files.js";
import type { ReadFormat, WriteFormat } from "./file-format.js";

/** Options of {@link writeFiles}. */
export interface WriteFilesOptions {
  /** Number of files. Without it there is one, named exactly as given; with it they are `<path>-00000-of-00003` and so on. */
  readonly shards?: number;
  /** Ending of the name of every shard; default that of the format. A single file has none. */
  readonly suffix?: string;
}

/** The records of all files that match, files in parallel. */
export function readFiles<T>(name: string, pattern: string, format: ReadFormat<T>): PTransform<Pipeline, PCollection<T>> {
  return {
    name,
    defaultName: name,
    expand: (p) =>
      p
        .apply(create("pattern", [pattern]))
        .apply(flatMap("match files", (glob) => fileRanges(glob, Number.MAX_SAFE_INTEGER)))
        .apply(reshuffle("spread files"))
        .apply(flatMap("read records", (file) => recordsOf(file, format), { concurrency: 1 })),
  };
}

async function* recordsOf<T>({ path, end, compression }: FileRange, format: ReadFormat<T>): AsyncGenerator<T> {
  if (compression !== "none" && format.access === "random")
    throw new Error(`cannot read "${path}": files of this format are not compressed as a whole`);
  const file = await open(path, "r").catch((cause: unknown) => {
    throw readError(path, cause);
  });
  try {
    yield* format.records({
      path,
      size: end,
      async read(start, stop) {
        const bytes = new Uint8Array(stop - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      },
      blocks: () => (compression === "none" ? blocksOf(path) : decompressed(path, compression)),
    });
  } finally {
    await file.close();
  }
}

/** Records that travel to their file together. */
const BATCH = 256;

/** Writes every record to one of the files, as whole files or none; the output holds their names, once they are complete. */
export function writeFiles<T>(
  name: string,
  path: string,
  format: WriteFormat<T>,
  { shards, suffix = format.suffix }: WriteFilesOptions,
): PTransform<PCollection<T>, PCollection<string>> {
  if (shards !== undefined && !(Number.isSafeInteger(shards) && shards > 0 && shards <= 100_000))
    throw new RangeError(`shards must be a whole number from 1 to 100000, not ${shards}`);
  const count = shards ?? 1;
  const nameOf = (shard: number): string => (shards === undefined ? path : `${path}-${padded(shard)}-of-${padded(count)}${suffix}`);
  return {
    name,
    defaultName: name,
    expand(input) {
      const coder = kvCoder(varintCoder, iterableCoder(input.coder));
      const batches = input.apply(windowInto("all", global())).apply(
        parDo("batch", {
          concurrency: 1,
          outputs: output<KV<number, Iterable<unknown>>>(coder),
          setup: () => ({ batch: [] as unknown[], shard: Math.floor(Math.random() * count) }),
          process: (record: T, { local, emit }) => {
            if (local.batch.push(record) < BATCH) return;
            emit(kv(local.shard, local.batch));
            local.batch = [];
            local.shard = (local.shard + 1) % count;
          },
          finishBundle: ({ local, emit }) => {
            if (local.batch.length > 0) emit(kv(local.shard, local.batch));
            local.batch = [];
          },
        }),
      );
      const every = new Pipeline(input.graph)
        .apply(
          create(
            "shards",
            Array.from({ length: count }, (_, shard) => shard),
          ),
        )
        .apply(map("without records", (shard) => kv<number, Iterable<unknown>>(shard, [])))
        .apply(withCoder(coder));
      return new Pipeline(input.graph)
        .apply(flatten("parts", [batches, every]))
        .apply(groupByKey("gather"))
        .apply(map("write", ({ key, value }) => writeFile(nameOf(key), value as Iterable<Iterable<T>>, format), { concurrency: 1 }));
    },
  };
}

const padded = (shard: number): string => String(shard).padStart(5, "0");

async function writeFile<T>(path: string, batches: Iterable<Iterable<T>>, format: WriteFormat<T>): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.part-${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      const writer = format.open({ write: (bytes) => file.appendFile(bytes) });
      for (const batch of batches)
        for (const record of batch) {
          const written = writer.write(record);
          if (written !== undefined) await written;
        }
      await writer.finish();
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return path;
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeError(path, cause);
  }
}
