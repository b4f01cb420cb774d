// The local file system. `file://` is one more way to write a path.
import { constants, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { FileError } from "./file-error.js";
import { markOf, temporaryName } from "./file-names.js";
import type { FileMetadata, FileSystem, NewFile } from "./file-system.js";
import { localBlocks } from "./local-blocks.js";

export const localFiles: FileSystem = {
  async match(written) {
    const pattern = localPath(written);
    // A file may be named like a pattern, e.g. "notes (1).txt".
    if (!isDynamicPattern(pattern) || existsSync(pattern)) return [await statFile(pattern)];
    const paths = await glob(pattern, { absolute: pattern.startsWith("/"), dot: false });
    return Promise.all(paths.sort().map(statFile));
  },
  stat: (path) => statFile(localPath(path)),
  async *blocks(path, position = 0) {
    try {
      yield* localBlocks(localPath(path), position);
    } catch (cause) {
      throw failure("read", localPath(path), cause);
    }
  },
  async read(path, start, end) {
    const file = await open(localPath(path), "r").catch((cause: unknown) => {
      throw failure("read", localPath(path), cause);
    });
    try {
      const bytes = Buffer.allocUnsafe(end - start);
      for (let filled = 0; filled < bytes.length;) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}, before ${end}`);
        filled += bytesRead;
      }
      return bytes;
    } catch (cause) {
      throw failure("read", localPath(path), cause);
    } finally {
      await file.close();
    }
  },
  create: (path) => createFile(localPath(path)),
  exists: (path) => isThere(localPath(path)),
  async replace(path, mark) {
    const file = await createFile(temporaryName(localPath(path), mark));
    return {
      write: (bytes) => file.write(bytes),
      async close() {
        await file.close();
        return { path, token: file.path };
      },
      abandon: () => file.abandon(),
    };
  },
  async publish({ path, token }) {
    const target = localPath(path);
    try {
      await rename(token, target);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      if (!(await isThere(target))) throw new Error("its temporary file is gone, and it is not there", { cause });
    }
    await syncFolder(dirname(target));
  },
  abandon: ({ token }) => rm(token, { force: true }),
  remove: (path) => rm(localPath(path), { force: true }),
  async sweep(folder, deep, isLeft) {
    const path = localPath(folder) || ".";
    const names = await readdir(path, { recursive: deep }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return []; // nothing was written there yet
      throw cause;
    });
    for (const name of names) {
      const mark = markOf(name);
      if (mark !== undefined && isLeft(mark)) await rm(join(path, name), { force: true });
    }
  },
  failure,
};

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw cause;
  }
}

/** What was renamed stays so, whatever happens to the machine. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // where folders cannot be opened
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function createFile(path: string): Promise<NewFile> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  };
  return {
    path,
    write: (bytes) => file.appendFile(bytes),
    close,
    async abandon() {
      // That a full disk lets it not be closed well does not matter: it is removed anyway.
      await close().catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

async function statFile(path: string): Promise<FileMetadata> {
  const found = await stat(path).catch((cause: unknown) => {
    throw failure("read", path, cause);
  });
  if (found.isDirectory()) throw new Error(`cannot read "${path}": it is a folder; name files in it, e.g. "${path}/*.txt"`);
  return { path, size: found.size, modified: Math.floor(found.mtimeMs) };
}

function localPath(path: string): string {
  if (!/^file:\/\//i.test(path)) return path;
  const rest = decodeURI(path.slice("file://".length).replace(/^localhost(?=\/)/i, ""));
  if (!rest.startsWith("/")) throw new RangeError(`"${path}" names a machine; write file:///path, with three slashes`);
  return process.platform === "win32" ? rest.slice(1) : rest;
}

const REASONS = {
  read: new Map([
    ["EACCES", "permission denied"],
    ["EPERM", "permission denied"],
  ]),
  write: new Map([
    ["EACCES", "permission denied"],
    ["EPERM", "permission denied"],
    ["EROFS", "the file system is read-only"],
    ["ENOSPC", "no space is left on the device; what was there before is unchanged"],
    ["EDQUOT", "the disk quota is used up; what was there before is unchanged"],
    ["ENOTDIR", "a part of the path is a file, not a folder"],
    ["EEXIST", "a part of the path is a file, not a folder"],
    ["EISDIR", "it is a folder"],
  ]),
};

function failure(doing: "read" | "write", path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const missing = doing === "read" && code === "ENOENT" ? `there is no such file (in ${process.cwd()})` : undefined;
  return new FileError(doing, path, missing ?? REASONS[doing].get(code ?? "") ?? message, cause);
}
