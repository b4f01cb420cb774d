// A piece of a checkpoint: sections of records, and behind them where each of them is.
//
//   "BSPIECE1" · sections · index as JSON · [u32 bytes of the index][u32 CRC-32 of the index] · "BSPIECE1"
//
// P1. Each section has its own CRC-32 in the index, and the index has one: whatever has changed in a file is noticed by who reads it.
// P2. A piece is complete and on the disk when its file has its name.
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { crashPoint } from "./crash-points.js";

const MAGIC = Buffer.from("BSPIECE1", "latin1");
const TRAILER_BYTES = 8 + MAGIC.length;
/** An index larger than this is none. */
const MAX_INDEX_BYTES = 64 << 20;
/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 1 << 20;
/** Bytes that wait for the disk, beyond which nothing more should be added for now. */
const MAX_UNDER_WAY = 32 << 20;
/** Bytes after which the disk is told to write what it has: so the end of a piece does not wait for all of it. */
const SYNC_BYTES = 16 << 20;

/** What a manifest says of a piece. */
export interface PieceRef {
  /** Its file's. */
  readonly name: string;
  readonly bytes: number;
  /** The CRC-32 of its index. */
  readonly crc: number;
}

/** Which records are in a section. */
export interface SectionId {
  /** The part of whose state they are, in whose task where it belongs to no key. */
  readonly part: string;
  readonly group: number;
}

interface IndexEntry extends SectionId {
  readonly at: number;
  readonly bytes: number;
  readonly crc: number;
}

/** A section, and where it is in its file. */
export interface ReadSection {
  readonly section: Uint8Array;
  readonly at: number;
}

/** A file of a checkpoint is not what it was. */
export class CorruptPieceError extends Error {
  override readonly name = "CorruptPieceError";
}

/** Writes a piece. {@link finish} or {@link abandon} comes last. */
export class PieceWriter {
  /** Bytes so far. */
  length = MAGIC.length;
  private readonly index: IndexEntry[] = [];
  /** What is gathered, in a block that is not full. */
  private block: Buffer = MAGIC;
  private waitingBytes = MAGIC.length;
  /** Blocks that are written, for others to be gathered in. */
  private readonly free: Buffer[] = [];
  private file: Promise<FileHandle> | undefined;
  /** Blocks that are complete, and not on their way yet. */
  private waiting: Buffer[] = [];
  /** Settled when nothing is waiting any more. */
  private writing: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;
  /** Bytes on their way to the disk. */
  private underWay = 0;
  /** Bytes written since the disk was told to. */
  private unsynced = 0;

  /** @param path where it is to be, once it is complete */
  constructor(private readonly path: string) {}

  /** Adds a section, which is copied. */
  add({ part, group }: SectionId, section: Uint8Array): void {
    this.index.push({ part, group, at: this.length, bytes: section.byteLength, crc: crc32(section) });
    this.append(section);
  }

  get isEmpty(): boolean {
    return this.index.length === 0;
  }

  /** Whether enough is on its way to the disk for now; see {@link drained}. */
  get isBusy(): boolean {
    return this.underWay > MAX_UNDER_WAY;
  }

  async drained(): Promise<void> {
    await this.writing;
  }

  /** Resolves when the piece is on the disk. @throws what went wrong; nothing is left behind then */
  async finish(): Promise<PieceRef> {
    const index = Buffer.from(JSON.stringify(this.index));
    const crc = crc32(index);
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32BE(index.byteLength, 0);
    trailer.writeUInt32BE(crc, 4);
    this.append(Buffer.concat([index, trailer, MAGIC]));
    this.write();
    try {
      await this.settled();
      const file = await this.file!;
      await file.sync();
      await file.close();
      crashPoint("piece-complete");
      await rename(this.temporary, this.path);
      crashPoint("piece-renamed");
    } catch (error) {
      await this.abandon();
      throw error;
    }
    return { name: this.path.slice(this.path.lastIndexOf("/") + 1), bytes: this.length, crc };
  }

  async abandon(): Promise<void> {
    const { file } = this;
    this.failure ??= { error: new Error(`${this.path} is given up`) };
    this.file = undefined;
    await this.writing;
    await file?.then((open) => open.close()).catch(() => {});
    await rm(this.temporary, { force: true });
  }

  /** Where it is while it is written. */
  static temporaryOf(path: string): string {
    return `${path}.part`;
  }

  private get temporary(): string {
    return PieceWriter.temporaryOf(this.path);
  }

  private append(bytes: Uint8Array): void {
    this.length += bytes.byteLength;
    if (this.block === MAGIC) MAGIC.copy((this.block = Buffer.allocUnsafeSlow(WRITE_BYTES)));
    for (let at = 0; at < bytes.byteLength;) {
      const count = Math.min(bytes.byteLength - at, WRITE_BYTES - this.waitingBytes);
      this.block.set(bytes.subarray(at, at + count), this.waitingBytes);
      this.waitingBytes += count;
      at += count;
      if (this.waitingBytes === WRITE_BYTES) this.write();
    }
  }

  /** Has the block go to the disk, with what else waits until those before it have arrived. */
  private write(): void {
    if (this.failure !== undefined) {
      this.waitingBytes = 0;
      return;
    }
    this.waiting.push(this.block.subarray(0, this.waitingBytes));
    this.underWay += this.waitingBytes;
    this.waitingBytes = 0;
    this.block = this.free.pop() ?? Buffer.allocUnsafeSlow(WRITE_BYTES);
    this.writing ??= this.writeWaiting();
  }

  /** All that waits goes in one call: the event loop comes to the next one only when its tasks have had their turns. */
  private async writeWaiting(): Promise<void> {
    try {
      this.file ??= open(this.temporary, "w");
      const file = await this.file;
      for (let blocks = this.waiting; blocks.length > 0; blocks = this.waiting) {
        this.waiting = [];
        const bytes = blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
        const { bytesWritten } = await file.writev(blocks);
        crashPoint("piece-begun");
        if (bytesWritten !== bytes) throw new Error(`${this.temporary} took ${bytesWritten} of ${bytes} bytes: is the disk full?`);
        this.unsynced += bytes;
        if (this.unsynced >= SYNC_BYTES) {
          await file.datasync();
          this.unsynced = 0;
        }
        this.underWay -= bytes;
        for (const { buffer } of blocks) this.free.push(Buffer.from(buffer));
      }
    } catch (error) {
      this.failure ??= { error };
      this.underWay = 0;
      this.waiting = [];
    }
    this.writing = undefined;
  }

  private async settled(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure.error;
  }
}

const NONE: readonly IndexEntry[] = [];

/** Reads a piece. */
export class PieceReader {
  private readonly byPart = new Map<string, Map<number, IndexEntry[]>>();

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly sections: readonly IndexEntry[],
  ) {
    for (const entry of sections) {
      let byGroup = this.byPart.get(entry.part);
      if (byGroup === undefined) this.byPart.set(entry.part, (byGroup = new Map()));
      const some = byGroup.get(entry.group);
      if (some === undefined) byGroup.set(entry.group, [entry]);
      else some.push(entry);
    }
  }

  /** @throws CorruptPieceError if it is not the one that `piece` says, or missing */
  static async open(path: string, piece: Pick<PieceRef, "bytes" | "crc">): Promise<PieceReader> {
    const file = await open(path, "r").catch((cause: unknown) => {
      throw new CorruptPieceError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
    });
    try {
      const { size } = await file.stat();
      if (size !== piece.bytes) throw new CorruptPieceError(`${path} has ${size} bytes, not ${piece.bytes}`);
      const start = await readAt(file, path, 0, MAGIC.length);
      if (!start.equals(MAGIC)) throw new CorruptPieceError(`${path} does not begin like a piece`);
      const trailer = await readAt(file, path, Math.max(0, size - TRAILER_BYTES), TRAILER_BYTES);
      if (!trailer.subarray(8).equals(MAGIC)) throw new CorruptPieceError(`${path} does not end like a piece`);
      const bytes = trailer.readUInt32BE(0);
      if (bytes > MAX_INDEX_BYTES || bytes > size - TRAILER_BYTES) throw new CorruptPieceError(`${path} has no index`);
      const index = await readAt(file, path, size - TRAILER_BYTES - bytes, bytes);
      if (crc32(index) !== trailer.readUInt32BE(4) || crc32(index) !== piece.crc)
        throw new CorruptPieceError(`the index of ${path} is damaged`);
      return new PieceReader(path, file, JSON.parse(index.toString()) as IndexEntry[]);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Which sections there are; some several times, then they belong together in this order. */
  get ids(): readonly SectionId[] {
    return this.sections;
  }

  /** Names of the parts. */
  get parts(): IterableIterator<string> {
    return this.byPart.keys();
  }

  /** The key groups that a part has records of. */
  groupsOf(part: string): Iterable<number> {
    return this.byPart.get(part)?.keys() ?? [];
  }

  /** Bytes of the sections of a part and key group. */
  bytesOf(wanted: SectionId): number {
    return this.entriesOf(wanted).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Reads the sections of a part and key group. @param room memory for so many bytes. @throws CorruptPieceError */
  read(wanted: SectionId, room?: (bytes: number) => Buffer): AsyncIterableIterator<ReadSection> {
    return this.readAll(this.entriesOf(wanted), room);
  }

  /** Reads all of it. @throws CorruptPieceError */
  async verify(): Promise<void> {
    for await (const _ of this.readAll(this.sections));
  }

  private entriesOf({ part, group }: SectionId): readonly IndexEntry[] {
    return this.byPart.get(part)?.get(group) ?? NONE;
  }

  private async *readAll(
    entries: readonly IndexEntry[],
    room: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
  ): AsyncIterableIterator<ReadSection> {
    for (const { at, bytes, crc } of entries) {
      const section = await readAt(this.file, this.path, at, bytes, room(bytes));
      if (crc32(section) !== crc) throw new CorruptPieceError(`a section of ${this.path} is damaged, at byte ${at}`);
      yield { section, at };
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function readAt(
  file: FileHandle,
  path: string,
  at: number,
  bytes: number,
  buffer: Buffer = Buffer.allocUnsafe(bytes),
): Promise<Buffer> {
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, at + read);
    if (bytesRead === 0) throw new CorruptPieceError(`${path} ends at byte ${at + read}, where ${bytes - read} more are due`);
    read += bytesRead;
  }
  return buffer;
}
