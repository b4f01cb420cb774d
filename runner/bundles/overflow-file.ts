// Bytes that wait longer than memory has room for them: a file that nobody else can see, written at its end and read in any order.
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where in the file some bytes are. */
export interface Stored {
  readonly position: number;
  readonly length: number;
}

export class OverflowFile {
  private file: { readonly descriptor: number; readonly path: string } | undefined;
  private end = 0;

  constructor(private readonly folder = tmpdir()) {}

  /** @throws Error where the disk takes no more */
  store(bytes: Uint8Array): Stored {
    const { descriptor } = (this.file ??= this.open());
    const stored = { position: this.end, length: bytes.length };
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done, this.end + done);
    this.end += bytes.length;
    return stored;
  }

  read({ position, length }: Stored): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.file!.descriptor, bytes, done, length - done, position + done);
      if (count === 0) throw new Error(`${this.file!.path} is shorter than what was written to it`);
      done += count;
    }
    return bytes;
  }

  /** Nothing of what was stored is needed any more. */
  clear(): void {
    if (this.file === undefined) return;
    closeSync(this.file.descriptor);
    rmSync(this.file.path, { force: true });
    this.file = undefined;
    this.end = 0;
  }

  private open(): { descriptor: number; path: string } {
    const path = join(this.folder, `beamstorm-outputs-${process.pid}-${randomBytes(8).toString("hex")}`);
    const descriptor = openSync(path, "wx+", 0o600);
    // Where the system lets us, it is gone with this process however that ends.
    if (process.platform !== "win32") rmSync(path, { force: true });
    return { descriptor, path };
  }
}
