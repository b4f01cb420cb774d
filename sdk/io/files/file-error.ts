/** A file that could not be read or written: its message names it and says what to do. The system's own error is its cause. */
export class FileError extends Error {
  override readonly name = "FileError";
  constructor(doing: "read" | "write", path: string, reason: string, cause: unknown) {
    super(`cannot ${doing} "${path}": ${reason}`, { cause });
  }
}

/** The names, or codes, by which file systems say that a file is not there. */
const MISSING: ReadonlySet<unknown> = new Set(["ENOENT", "NoSuchKey", "NotFound"]);

/** Whether a file could not be read because it is not there. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof FileError)) return false;
  const { code, name } = error.cause as { readonly code?: unknown; readonly name?: unknown };
  return MISSING.has(code) || MISSING.has(name);
}
