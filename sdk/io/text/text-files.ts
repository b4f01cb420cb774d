import { constants, createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { pipeline as pipe, type Duplex, type Readable } from "node:stream";
import { compressor, type Compression } from "./compression.js";

/** A file that is being written. */
export interface TextFile {
  readonly path: string;
  append(text: string): Promise<void>;
  /** Appends the content of another file, compressed. */
  appendFile(path: string, compression: Compression): Promise<void>;
  /** Resolves when the content is on disk. A second call does nothing. */
  close(): Promise<void>;
}

/** What writing needs of a file system. */
export interface TextFiles {
  makeFolder(path: string): Promise<void>;
  /** @throws when the file exists */
  create(path: string): Promise<TextFile>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file if it is there. */
  remove(path: string): Promise<void>;
}

/** The local file system. */
export const nodeFiles: TextFiles = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async create(path) {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    let closed = false;
    return {
      path,
      append: (text) => file.appendFile(text),
      async appendFile(other, compression) {
        const source = createReadStream(other, { highWaterMark: 1024 * 1024 });
        // Compressed parts one behind the other are a compressed whole, in gzip as in zstd.
        const chunks = compression === "none" ? source : compose(source, compressor(compression));
        for await (const chunk of chunks) await file.appendFile(chunk as Buffer);
      },
      async close() {
        if (closed) return;
        closed = true;
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      },
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
};

/** What comes out of `transform`, or the first error of either. */
function compose(source: Readable, transform: Duplex): Readable {
  return pipe(source, transform, () => {}); // an error also ends the iteration over it
}

/** An error about the target that says what to do; the system's own error is its cause. */
export function writeError(path: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Partial<Record<string, string>> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOSPC: "no space is left on the device; what was there before is unchanged",
    EDQUOT: "the disk quota is used up; what was there before is unchanged",
    ENOTDIR: "a part of the path is a file, not a folder",
    EEXIST: "a part of the path is a file, not a folder",
    EISDIR: "it is a folder",
  };
  return new Error(`cannot write "${path}": ${reasons[code ?? ""] ?? message}`, { cause });
}
