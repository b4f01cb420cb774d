/** A file that could not be read or written: its message names it and says what to do. The system's own error is its cause. */
export class FileError extends Error {
  override readonly name = "FileError";
  constructor(doing: "read" | "write", path: string, reason: string, cause: unknown) {
    super(`cannot ${doing} "${path}": ${reason}`, { cause });
  }
}
