import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";

/** Bytes gathered before they are written. */
const WRITE_BYTES = 1 << 20;

/** Closes the files that nobody can read from any more: a group that was spilled may be iterated for as long as it is held. */
const forgotten = new FinalizationRegistry((file: { descriptor: number | undefined }) => {
  if (file.descriptor !== undefined) closeSync(file.descriptor);
  file.descriptor = undefined;
});

/**
 * A file of spilled state: appended to, then read at any place. Calls are synchronous, as state is used between the elements of a
 * synchronous path; they move a megabyte or so at a time.
 */
export class RunFile {
  private readonly handle: { descriptor: number | undefined };
  private readonly buffered: Uint8Array[] = [];
  private bufferedBytes = 0;
  private written = 0;

  /** @param explained carries out an action on the file and says what its failure means */
  constructor(
    private readonly path: string,
    private readonly explained: <T>(action: () => T) => T,
  ) {
    this.handle = { descriptor: openSync(path, "wx+", 0o600) };
    forgotten.register(this, this.handle);
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.written + this.bufferedBytes;
  }

  /** Appends bytes, which now belong to the file. */
  append(bytes: Uint8Array): void {
    this.buffered.push(bytes);
    this.bufferedBytes += bytes.byteLength;
    if (this.bufferedBytes >= WRITE_BYTES) this.flush();
  }

  /** Writes out what is gathered; before the first read. */
  flush(): void {
    const bytes = Buffer.concat(this.buffered, this.bufferedBytes);
    this.buffered.length = 0;
    this.bufferedBytes = 0;
    this.explained(() => {
      for (let at = 0; at < bytes.byteLength;) at += writeSync(this.open(), bytes, at, bytes.byteLength - at, this.written + at);
    });
    this.written += bytes.byteLength;
  }

  /** Bytes from `position` on: `length` of them, or as many as there are. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.written - position)));
    return this.explained(() => {
      let at = 0;
      while (at < bytes.byteLength) {
        const count = readSync(this.open(), bytes, at, bytes.byteLength - at, position + at);
        if (count === 0) throw new Error(`${this.path} is shorter than it was`);
        at += count;
      }
      return bytes;
    });
  }

  /** Takes the file's name away; its bytes go with the last one who reads them. */
  unlink(): void {
    try {
      unlinkSync(this.path);
    } catch {
      // its folder is gone already
    }
  }

  close(): void {
    if (this.handle.descriptor !== undefined) closeSync(this.handle.descriptor);
    this.handle.descriptor = undefined;
  }

  private open(): number {
    if (this.handle.descriptor === undefined) throw new Error("a spilled group was iterated after its task had ended");
    return this.handle.descriptor;
  }
}
