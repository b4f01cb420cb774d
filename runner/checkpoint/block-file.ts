import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** What goes past the page cache is a multiple of this, as is its place in the file and in memory: no disk asks for more. */
const SECTOR_BYTES = 4096;
/** Bytes in the page cache after which the disk is told to write what it has: so the end does not wait for all of it. */
const SYNC_BYTES = 16 << 20;

/**
 * A file that is written from its start to its end in blocks of a {@link BlockPool}, all of them full but the last.
 *
 * A large one goes past the page cache (O_DIRECT) where the file system can do that. It has to be on the disk anyway, and nobody reads it soon: in the
 * cache it would only take the place of something else, and memory that the cache has not used before may cost more than the disk does.
 */
export class BlockFile {
  private length = 0;
  /** Bytes that may be in the page cache only. */
  private unsynced = 0;

  private constructor(
    private readonly path: string,
    private file: FileHandle,
    private isDirect: boolean,
  ) {}

  /** @param isLarge whether its first block is full */
  static async open(path: string, isLarge: boolean): Promise<BlockFile> {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_DIRECT } = constants;
    const direct = isLarge && process.platform === "linux";
    const file = direct ? await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT).catch(unlessRefused) : undefined;
    return new BlockFile(path, file ?? (await open(path, "w")), file !== undefined);
  }

  /** Writes so many bytes of the blocks. @throws what went wrong; the file is to be closed then */
  async write(blocks: readonly Buffer[], bytes: number): Promise<void> {
    const written = await this.put(blocks, bytes);
    if (written < bytes) throw new Error(`${this.path} took ${written} of ${bytes} bytes: is the disk full?`);
    this.length += bytes;
    if (this.isDirect) return;
    this.unsynced += bytes;
    if (this.unsynced < SYNC_BYTES) return;
    this.unsynced = 0;
    await this.file.datasync();
  }

  /** Resolves when all of it is on the disk, and the file is closed. */
  async finish(): Promise<void> {
    if (this.isDirect) await this.file.truncate(this.length);
    await this.file.sync();
    await this.close();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async put(blocks: readonly Buffer[], bytes: number): Promise<number> {
    if (this.isDirect) {
      const whole = firstOf(blocks, Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES);
      const written = await this.file.writev(whole, this.length).catch(unlessRefused);
      if (written !== undefined) return written.bytesWritten;
      await this.file.close();
      this.file = await open(this.path, "r+");
      this.isDirect = false;
    }
    return (await this.file.writev(firstOf(blocks, bytes), this.length)).bytesWritten;
  }
}

/** The first bytes of the blocks. */
function firstOf(blocks: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  return blocks.map((block) => {
    const part = block.subarray(0, left);
    left -= part.byteLength;
    return part;
  });
}

/** The file system cannot do it in this way. */
function unlessRefused(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EINVAL" && error.code !== "EOPNOTSUPP") throw error;
}
