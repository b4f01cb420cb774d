// Writing files: nothing is visible under its final name before it is complete.
//
// W1. Records become temporary files: a part for each bundle and destination, beside its target, where the format lets parts be
//     concatenated; else one for each file, written whole. Their names travel on as elements.
// W2. One call for each destination gathers all of them, puts parts together as the final shards, and publishes what is complete.
// W3. A crash at any moment leaves each old file, or the new one, whole.
// W4. When the run is over, however it ended, its temporary files are gone; only a process that was killed leaves hidden ones.
// W5. A bundle may be tried again: what one attempt has published, another one takes for done. Files of failed attempts go by W4.
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatten } from "../../transforms/flatten.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { output, parDo } from "../../transforms/par-do.js";
import { global, windowInto } from "../../transforms/window-into.js";
import { compress } from "./compression.js";
import type { WriteFormat } from "./file-format.js";
import type { FileSystem, PreparedFile } from "./file-system.js";
import { writeParts } from "./write-parts.js";
import { fileName, writeTarget, type WriteFilesOptions, type WriteTarget } from "./write-target.js";
import { WholeFiles, writeWhole, type WholeShard } from "./write-whole.js";

/** W5: what has been done in this process. */
class Finished {
  private readonly published = new Set<string>();
  private readonly names = new Map<string, readonly string[]>();

  /** The names of the files of a destination, made from these parts by `finish` unless that was done before. */
  async once(name: string, parts: readonly string[], finish: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const id = JSON.stringify([name, ...parts]);
    let names = this.names.get(id);
    if (names === undefined) this.names.set(id, (names = await finish()));
    return names;
  }

  async publish(files: FileSystem, file: PreparedFile): Promise<void> {
    if (this.published.has(file.token)) return;
    await files.publish(file);
    this.published.add(file.token);
  }
}

/** Writes elements as files of a format; the output holds the names of the files, once they are complete. */
export function writeFiles<T>(
  defaultName: string,
  path: string,
  format: WriteFormat<T>,
  options: WriteFilesOptions<T> = {},
): PTransform<PCollection<T>, PCollection<string>> {
  const target = writeTarget(path, format, options);
  return {
    defaultName,
    expand(input) {
      const write = format.parts === "concatenate" ? writeParts(target, format) : writeWhole(target, format);
      const finished = new Finished();
      const parts = input.apply(windowInto("all", global())).apply(write);
      // Without destinations there is a file even if there is no element.
      const all = target.destination === undefined ? new Pipeline(input.graph).apply(flatten("parts", [parts, marker(input)])) : parts;
      return all.apply(groupByKey("gather")).apply(
        parDo("finish", {
          outputs: output<string>(),
          setup: ({ atEnd }) => {
            const files = new WholeFiles(target.files);
            atEnd(() => files.abandonAll()); // W4
            return files;
          },
          process: ({ key, value }: KV<string, Iterable<string>>, { local }) => {
            const parts = [...value].filter((part) => part !== "");
            const finish = format.parts === "concatenate" ? joinParts : publishShards;
            return finished.once(key, parts, () => finish(target, format, key, parts, local, finished));
          },
          teardown: ({ local }) => local.abandonOpen(),
        }),
      );
    },
  };
}

const marker = (input: PCollection<unknown>): PCollection<KV<string, string>> =>
  new Pipeline(input.graph).apply(create<KV<string, string>>("marker", [kv("", "")]));

async function joinParts<T>(
  target: WriteTarget<T>,
  format: WriteFormat<T>,
  name: string,
  parts: string[],
  whole: WholeFiles,
  finished: Finished,
): Promise<string[]> {
  const { files, shards = 1, compression } = target;
  parts.sort();
  const prepared: PreparedFile[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const path = fileName(target, name, shard);
    const file = await whole.begin(path);
    try {
      const content = joined(
        target,
        format.header,
        parts.filter((_, i) => i % shards === shard),
      );
      for await (const bytes of compress(content, compression)) await file.write(bytes);
    } catch (cause) {
      throw files.failure("write", path, cause);
    }
    prepared.push(await whole.finish(file, path));
  }
  const names = await publish(target, prepared, finished);
  for (const part of parts) await files.remove(part);
  return names;
}

async function* joined<T>({ files }: WriteTarget<T>, header: Uint8Array | undefined, parts: string[]): AsyncGenerator<Uint8Array> {
  if (header !== undefined) yield header;
  for (const part of parts) yield* files.blocks(part);
}

async function publishShards<T>(
  target: WriteTarget<T>,
  format: WriteFormat<T>,
  name: string,
  parts: string[],
  whole: WholeFiles,
  finished: Finished,
): Promise<string[]> {
  const shards = new Map(parts.map((part) => JSON.parse(part) as WholeShard).map(({ shard, file }) => [shard, file]));
  const prepared: PreparedFile[] = [];
  for (let shard = 0; shard < (target.shards ?? 1); shard++)
    prepared.push(shards.get(shard) ?? (await whole.write(fileName(target, name, shard), format, [])));
  return publish(target, prepared, finished);
}

async function publish<T>({ files }: WriteTarget<T>, prepared: readonly PreparedFile[], finished: Finished): Promise<string[]> {
  for (const file of prepared)
    await finished.publish(files, file).catch((cause: unknown) => {
      throw files.failure("write", file.path, cause);
    });
  return prepared.map(({ path }) => path);
}
