// What reading and writing need of a store of files. Paths are whole, with their scheme: `out/a.txt`, `s3://bucket/out/a.txt`.
//
// F1. A file is visible under its name only as a whole. What is being written is hidden: a name that begins with a dot, or none at all.
// F2. Whatever was begun can be abandoned at any time, again and again; after that nothing of it is left, unless it had been published.
// F3. What is left of one that nobody abandoned, because its process was killed, is found by the mark that it was begun with ({@link FileSystem.sweep}).
// F4. Publishing may be repeated, also by another process.
// F5. Errors of reading say what and what to do. Those of writing are the system's own, for who knows the target to explain by `failure`.
import type { FileError } from "./file-error.js";
import type { ByteSink } from "./file-format.js";

/** What is known of a file without opening it. */
export interface FileMetadata {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** A file that is being written, under its own name. */
export interface NewFile extends ByteSink {
  readonly path: string;
  /** Resolves when all of it is stored. A second call does nothing. */
  close(): Promise<void>;
  /** F2 */
  abandon(): Promise<void>;
}

/** A file that is being written, to take the place of another one, or of none. */
export interface Replacement extends ByteSink {
  /** Makes it complete, and says what it takes to publish it. */
  close(): Promise<PreparedFile>;
  /** F2 */
  abandon(): Promise<void>;
}

/** A file that is complete and not visible yet: plain data, so that another process can publish it. */
export interface PreparedFile {
  /** Under which it will be visible. */
  readonly path: string;
  /** Means something to the file system that gave it. */
  readonly token: string;
}

/** A store of files. */
export interface FileSystem {
  /**
   * The files that match, in the order of their names; none when nothing does. `*` and `?` stand for anything within a folder, `**` for
   * folders too, `{a,b}` for either; names that begin with a dot are left out. A pattern that is the name of a file means that file.
   *
   * @throws Error for a path without a pattern that is not there, or is a folder
   */
  match(pattern: string): Promise<FileMetadata[]>;
  /** @throws Error when it is not there, or is a folder */
  stat(path: string): Promise<FileMetadata>;
  /** The bytes from `position` on, 0 by default. A block is only valid until the next one is asked for. */
  blocks(path: string, position?: number): AsyncGenerator<Uint8Array>;
  /** The bytes of `[start, end)`; an error when there are fewer. */
  read(path: string, start: number, end: number): Promise<Uint8Array>;
  /** Whether there is a file. */
  exists(path: string): Promise<boolean>;
  /** A file under this very name, a temporary one (file-names.ts), to be seen by no one but us. Folders are made as needed. */
  create(path: string): Promise<NewFile>;
  /** A file that nobody sees before it is published; with a mark if it is to be found by that (F3). Folders are made as needed. */
  replace(path: string, mark?: string): Promise<Replacement>;
  /**
   * Makes it visible, in place of what was there. If it was published before, and a file is there, it does nothing (F4).
   *
   * @throws Error when it is gone, and nothing is there
   */
  publish(file: PreparedFile): Promise<void>;
  /** F2 */
  abandon(file: PreparedFile): Promise<void>;
  /** Removes a file if it is there. */
  remove(path: string): Promise<void>;
  /**
   * Removes what was begun, in a folder, and those below if `deep`, with marks of which `isLeft` says that nobody wants it (F3).
   *
   * @param folder with a slash at its end; "" for the working directory
   */
  sweep(folder: string, deep: boolean, isLeft: (mark: string) => boolean): Promise<void>;
  /** An error that says what to do; one that does already is given back. */
  failure(doing: "read" | "write", path: string, cause: unknown): FileError;
}
