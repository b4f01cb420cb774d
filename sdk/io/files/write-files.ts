// Writing files: nothing is visible under its final name before it is complete.
//
// W1. Records become temporary files: a part for each bundle and destination, beside its target, where the format lets parts be
//     concatenated; else, and where files are of windows, one for each file, written whole. Their names travel on as elements.
// W2. One call for each destination gathers all of them, puts parts together as the final shards, and publishes what is complete. A file of a window
//     is published by itself, as soon as its pane is there.
// W3. A crash at any moment leaves each old file, or the new one, whole.
// W4. When the run is over, however it ended, its temporary files are gone; only a process that was killed leaves hidden ones. A run with
//     checkpoints keeps those that elements refer to until it is complete; whoever goes on with it removes what nobody refers to
//     (temporary-files.ts).
// W5. What gathers and publishes has stable input, and may be done again, wholly or in part, by this process or another one. With the same input
//     it comes to the same. Parts are removed when all files are published, the first one first: if that is gone, the files have been published.
import { kvCoder, utf8Coder } from "../../../portability/coders/index.js";
import { PipelineError } from "../../../portability/stage-host/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatten } from "../../transforms/flatten.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { elementwise, output, parDo } from "../../transforms/par-do.js";
import { global, windowInto } from "../../transforms/window-into.js";
import type { WriteFormat } from "./file-format.js";
import type { PreparedFile } from "./file-system.js";
import { Leftovers } from "./temporary-files.js";
import { recordBytes, WholeFiles } from "./whole-files.js";
import { writeParts } from "./write-parts.js";
import { fileName, writeTarget, type WriteFilesOptions, type WriteTarget } from "./write-target.js";
import { writeWhole, type WholeShard } from "./write-whole.js";

/**
 * Writes elements as files of a format; the output holds the names of the files, once they are complete.
 *
 * @throws PipelineError (at construction) for input that never ends and is not to be written by windows
 */
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
      if (target.windowed) return writeWindows(input, target, format);
      if (!input.isBounded)
        throw new PipelineError(
          "unbounded_write",
          `"${input.graph.currentName}" writes input that never ends, so that "${path}" would never be complete; write the files of each window as it ` +
            "ends, with { windowed: true } and windowInto() in front",
        );
      return writeAll(input, target, format);
    },
  };
}

/** W2: each file by itself. */
function writeWindows<T>(input: PCollection<T>, target: WriteTarget<T>, format: WriteFormat<T>): PCollection<string> {
  const leftovers = new Leftovers(target);
  return input
    .apply(discarding())
    .apply(writeWhole(target, format, leftovers))
    .apply(
      parDo("publish", {
        requiresStableInput: true, // W5
        outputs: output<string>(utf8Coder),
        setup: (context) => WholeFiles.begin(target, leftovers, context),
        process: async ({ value }: KV<string, string>, { local, emit }) => {
          const { file } = JSON.parse(value) as WholeShard;
          await local.publish(file);
          emit(file.path);
        },
      }),
    );
}

/** The same elements, of whose groups a pane has what is new. */
function discarding<T>(): PTransform<PCollection<T>, PCollection<T>> {
  return {
    defaultName: "what is new",
    expand: (input) =>
      input.windowing.panes === "discarding"
        ? input
        : input.apply(
            elementwise<T, T>("panes", "panes", { kind: "map", fn: (element: T) => element, concurrency: 1 }, () => input.coder, {
              ...input.windowing,
              panes: "discarding",
            }),
          ),
  };
}

/** W2: the files of a destination together. */
function writeAll<T>(input: PCollection<T>, target: WriteTarget<T>, format: WriteFormat<T>): PCollection<string> {
  const leftovers = new Leftovers(target);
  const areParts = format.parts === "concatenate";
  const write = (areParts ? writeParts : writeWhole)(target, format, leftovers);
  const parts = input.apply(windowInto("all", global())).apply(write);
  // Without destinations there is a file even if there is no element.
  const all = target.destination === undefined ? new Pipeline(input.graph).apply(flatten("parts", [parts, marker(input)])) : parts;
  return all.apply(groupByKey("gather")).apply(
    parDo("finish", {
      requiresStableInput: true, // W5
      outputs: output<string>(utf8Coder),
      setup: (context) => WholeFiles.begin(target, leftovers, context),
      process: ({ key, value }: KV<string, Iterable<string>>, { local }) => {
        const found = [...value].filter((part) => part !== "");
        return areParts ? joinParts(target, format, key, found, local) : publishShards(target, format, key, found, local);
      },
      teardown: ({ local }) => local.abandonOpen(),
    }),
  );
}

const marker = (input: PCollection<unknown>): PCollection<KV<string, string>> =>
  new Pipeline(input.graph).apply(create<KV<string, string>>("marker", [kv("", "")], kvCoder(utf8Coder, utf8Coder)));

async function joinParts<T>(
  target: WriteTarget<T>,
  format: WriteFormat<T>,
  name: string,
  parts: string[],
  whole: WholeFiles,
): Promise<string[]> {
  const { files, shards = 1 } = target;
  parts.sort();
  const paths = Array.from({ length: shards }, (_, shard) => fileName(target, name, shard));
  if (parts.length === 0 || (await isThere(target, parts[0]))) {
    const prepared: PreparedFile[] = [];
    for (const [shard, path] of paths.entries())
      prepared.push(
        await whole.writeBlocks(
          path,
          joined(
            target,
            format.header,
            parts.filter((_, i) => i % shards === shard),
          ),
        ),
      );
    for (const file of prepared) await whole.publish(file);
  } else await checkPublished(target, paths);
  for (const part of parts) await files.remove(part); // W5
  return paths;
}

async function isThere<T>({ files }: WriteTarget<T>, path: string): Promise<boolean> {
  try {
    return await files.exists(path);
  } catch (cause) {
    throw files.failure("read", path, cause);
  }
}

/** W5 */
async function checkPublished<T>(target: WriteTarget<T>, paths: readonly string[]): Promise<void> {
  for (const path of paths)
    if (!(await isThere(target, path)))
      throw target.files.failure("write", path, new Error("temporary files that were to become part of it are gone, and it is not there"));
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
): Promise<string[]> {
  const shards = new Map(parts.map((part) => JSON.parse(part) as WholeShard).map(({ shard, file }) => [shard, file]));
  const prepared: PreparedFile[] = [];
  for (let shard = 0; shard < (target.shards ?? 1); shard++)
    prepared.push(shards.get(shard) ?? (await whole.writeBlocks(fileName(target, name, shard), recordBytes(format, []))));
  for (const file of prepared) await whole.publish(file);
  return prepared.map(({ path }) => path);
}
