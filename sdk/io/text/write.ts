// Writing text: nothing is visible under its final name before it is complete.
//
// W1. Each bundle writes one temporary file beside the target; its name travels on as an element.
// W2. One call gathers all of them, puts them together as the final shards under temporary names, then renames.
// W3. A crash at any moment leaves the old target, or the new one, whole.
// W4. When the run is over, however it ended, its temporary files are gone; only a process that was killed leaves hidden ones.
import { randomBytes } from "node:crypto";
import { dirname, basename, join } from "node:path";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import { create } from "../../transforms/create.js";
import { flatten } from "../../transforms/flatten.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { output, parDo } from "../../transforms/par-do.js";
import { global, windowInto } from "../../transforms/window-into.js";
import { compressionOf, type Compression } from "./compression.js";
import { nodeFiles, writeError, type TextFile, type TextFiles } from "./text-files.js";

/** Options of {@link write}. */
export interface WriteOptions {
  /**
   * Number of files. Without it there is one, named exactly as given; with it they are `<path>-00000-of-00003` and so on.
   */
  readonly shards?: number;
  /** Appended to the name of every shard, e.g. `.txt`. */
  readonly suffix?: string;
  /** First line of every file. */
  readonly header?: string;
  /** Default "auto": by the ending of the name, `.gz` or `.zst`. zstd needs Node 22.15 or newer. */
  readonly compression?: Compression | "auto";
  /** @internal Replaced by tests that need a disk to be full. */
  readonly files?: TextFiles;
}

/** What is written where, and how. */
interface Target {
  readonly path: string;
  readonly shards: number | undefined;
  readonly suffix: string;
  readonly header: string | undefined;
  readonly compression: Compression;
}

/** Characters gathered before the file is written to. */
const BUFFER_CHARS = 256 * 1024;

/**
 * Writes each element as a line. Folders are made as needed; an existing file is replaced, as a whole. The output holds
 * the names of the files, once they are complete.
 *
 * @throws (at run time) Error when the target cannot be written
 * @example `lines.apply(textIO.write("out/counts.txt"))`
 */
export function write(path: string, options: WriteOptions = {}): PTransform<PCollection<string>, PCollection<string>> {
  const { shards, suffix = "", files = nodeFiles } = options;
  const compression =
    options.compression === undefined || options.compression === "auto" ? compressionOf(path + suffix) : options.compression;
  const target: Target = { path, shards, suffix, header: options.header, compression };
  if (shards !== undefined && !(Number.isSafeInteger(shards) && shards > 0 && shards <= 100_000))
    throw new RangeError(`shards must be a whole number from 1 to 100000, not ${shards}`);
  return {
    defaultName: "textIO.write",
    expand(input) {
      const marker = new Pipeline(input.graph).apply(create<KV<null, string>>("marker", [kv(null, "")]));
      const parts = input.apply(windowInto("all", global())).apply(
        parDo("write bundles", {
          concurrency: 1,
          outputs: output<KV<null, string>>(),
          setup: ({ atEnd }) => {
            const bundle = new BundleFile(path, files);
            atEnd(() => bundle.removeAll()); // W4
            return bundle;
          },
          process: (line: string, { local }) => local.add(line),
          finishBundle: async ({ local, emit }) => {
            const part = await local.finish();
            if (part !== undefined) emit(kv(null, part));
          },
          teardown: ({ local }) => local.discard(),
        }),
      );
      return new Pipeline(input.graph)
        .apply(flatten("parts", [parts, marker]))
        .apply(groupByKey("gather"))
        .apply(
          parDo("finish", {
            outputs: output<string>(),
            setup: ({ atEnd }) => {
              const temporary = new Set<string>();
              atEnd(async () => {
                for (const each of temporary) await files.remove(each); // W4
              });
              return temporary;
            },
            process: ({ value }, { local: temporary }) => {
              const parts = [...value].filter((part) => part !== "");
              return finishFiles(target, parts, files, temporary);
            },
          }),
        );
    },
  };
}

/** The temporary file of the bundle that is running. */
class BundleFile {
  private file: TextFile | undefined;
  private text = "";
  private readonly finished: string[] = [];

  constructor(
    private readonly target: string,
    private readonly files: TextFiles,
  ) {}

  /** A promise only when the buffer has to be written. */
  add(line: string): void | Promise<void> {
    this.text += line + "\n";
    if (this.text.length >= BUFFER_CHARS) return this.flush();
  }

  /** The path of the complete file; undefined if nothing was added. */
  async finish(): Promise<string | undefined> {
    if (this.text !== "" || this.file !== undefined) await this.flush();
    const { file } = this;
    if (file === undefined) return undefined;
    try {
      await file.close();
    } catch (cause) {
      throw writeError(this.target, cause); // the file is removed by `discard`
    }
    this.file = undefined;
    this.finished.push(file.path);
    return file.path;
  }

  /** W4: those that became part of the target are gone already. */
  async removeAll(): Promise<void> {
    await this.discard();
    for (const path of this.finished) await this.files.remove(path);
  }

  async discard(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    if (file === undefined) return;
    await abandon(file, this.files);
  }

  private async flush(): Promise<void> {
    const { text } = this;
    this.text = "";
    try {
      if (this.file === undefined) {
        await this.files.makeFolder(dirname(this.target));
        this.file = await this.files.create(temporaryName(this.target));
      }
      await this.file.append(text);
    } catch (cause) {
      throw writeError(this.target, cause);
    }
  }
}

// W2, W3
async function finishFiles(target: Target, parts: string[], files: TextFiles, temporary: Set<string>): Promise<string[]> {
  const { path, shards, suffix, header, compression } = target;
  parts.sort();
  const count = shards ?? 1;
  const done: { file: TextFile; final: string }[] = [];
  const headers: string[] = [];
  try {
    await files.makeFolder(dirname(path));
    if (header !== undefined || compression !== "none") {
      // A compressed file is never empty, even if nothing is in it.
      const file = await files.create(temporaryName(path));
      temporary.add(file.path);
      headers.push(file.path);
      if (header !== undefined) await file.append(`${header}\n`);
      await file.close();
    }
    for (let shard = 0; shard < count; shard++) {
      const file = await files.create(temporaryName(path));
      temporary.add(file.path);
      const final =
        shards === undefined ? path + suffix : `${path}-${String(shard).padStart(5, "0")}-of-${String(count).padStart(5, "0")}${suffix}`;
      done.push({ file, final });
      for (const each of headers) await file.appendFile(each, compression);
      for (let i = shard; i < parts.length; i += count) await file.appendFile(parts[i], compression);
      await file.close();
    }
    for (const { file, final } of done) await files.rename(file.path, final);
    return done.map(({ final }) => final);
  } catch (cause) {
    for (const { file } of done) await abandon(file, files);
    throw writeError(path, cause);
  } finally {
    for (const part of [...headers, ...parts]) await files.remove(part);
  }
}

/** Closes and removes a file that will not be complete; that a full disk lets it not be closed well does not matter. */
async function abandon(file: TextFile, files: TextFiles): Promise<void> {
  try {
    await file.close();
  } catch {
    // it is removed anyway
  }
  await files.remove(file.path);
}

function temporaryName(target: string): string {
  return join(dirname(target), `.${basename(target)}.part-${randomBytes(8).toString("hex")}`);
}
