import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";

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

  /**
   * @param explained carries out an action on the file and says what its failure means
   * @param isOwn whether it is made; else it is somebody's who does not change it, and is only read
   */
  constructor(
    readonly path: string,
    private readonly explained: <T>(action: () => T) => T,
    isOwn = true,
  ) {
    this.handle = { descriptor: isOwn ? openSync(path, "wx+", 0o600) : openSync(path, "r") };
    if (!isOwn) this.written = fstatSync(this.handle.descriptor!).size;
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
    this.write(bytes);
  }

  /** Appends bytes at once, where none are gathered; they still belong to the caller. */
  write(bytes: Uint8Array): void {
    this.explained(() => {
      for (let at = 0; at < bytes.byteLength;) at += writeSync(this.open(), bytes, at, bytes.byteLength - at, this.written + at);
    });
    this.written += bytes.byteLength;
  }

  /** Bytes from `position` on: `length` of them, or as many as there are. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.written - position)));
    this.readInto(bytes, position, bytes.byteLength);
    return bytes;
  }

  /** The same into memory of the caller's; returns how many there were. */
  readInto(target: Uint8Array, position: number, length = target.byteLength): number {
    const wanted = Math.max(0, Math.min(length, this.written - position));
    return this.explained(() => {
      for (let at = 0; at < wanted;) {
        const count = readSync(this.open(), target, at, wanted - at, position + at);
        if (count === 0) throw new Error(`${this.path} is shorter than it was`);
        at += count;
      }
      return wanted;
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
