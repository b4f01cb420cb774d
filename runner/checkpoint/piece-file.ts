// A piece of a checkpoint: sections of records, and behind them where each of them is.
//
//   "BSPIECE1" · sections · index as JSON · [u32 bytes of the index][u32 CRC-32 of the index] · "BSPIECE1"
//
// P1. Each section has its own CRC-32 in the index, and the index has one: whatever has changed in a file is noticed by who reads it.
// P2. A piece is complete and on the disk when its file has its name.
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { BlockFile } from "./block-file.js";
import { BLOCK_BYTES, BlockPool, type Blocks } from "./block-pool.js";
import { crashPoint } from "./crash-points.js";

const MAGIC = Buffer.from("BSPIECE1", "latin1");
const TRAILER_BYTES = 8 + MAGIC.length;
/** An index larger than this is none. */
const MAX_INDEX_BYTES = 64 << 20;
/** Bytes that wait for the disk, beyond which nothing more should be added for now. */
const MAX_UNDER_WAY = 32 << 20;
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
  length = 0;
  private readonly index: IndexEntry[] = [];
  /** What is gathered, in a block that is not full; undefined where nothing is. */
  private block: Buffer | undefined;
  private gathered = 0;
  private file: Promise<BlockFile> | undefined;
  /** Blocks that are complete, and not on their way yet; all but the piece's last one are full. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** Settled when nothing is waiting any more. */
  private writing: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;
  /** Bytes on their way to the disk. */
  private underWay = 0;

  /**
   * @param path where it is to be, once it is complete
   * @param blocks of all that write pieces one after the other
   */
  constructor(
    private readonly path: string,
    private readonly blocks: Blocks = new BlockPool(),
  ) {}

  /** Adds a section, which is copied. */
  add({ part, group }: SectionId, section: Uint8Array): void {
    if (this.length === 0) this.gather(MAGIC);
    this.index.push({ part, group, at: this.length, bytes: section.byteLength, crc: crc32(section) });
    this.gather(section);
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
    if (this.length === 0) this.gather(MAGIC);
    this.gather(Buffer.concat([index, trailer, MAGIC]));
    this.write();
    try {
      await this.settled();
      await (await this.file!).finish();
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
    this.write(); // which gives the last block back
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

  private gather(bytes: Uint8Array): void {
    this.length += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength;) {
      const block = (this.block ??= this.blocks.take());
      const count = Math.min(bytes.byteLength - at, BLOCK_BYTES - this.gathered);
      block.set(bytes.subarray(at, at + count), this.gathered);
      this.gathered += count;
      at += count;
      if (this.gathered === BLOCK_BYTES) this.write();
    }
  }

  /** Has the block go to the disk, with what else waits until those before it have arrived. */
  private write(): void {
    const { block, gathered } = this;
    if (block === undefined) return;
    this.block = undefined;
    this.gathered = 0;
    if (this.failure !== undefined) return this.blocks.giveBack(block);
    this.waiting.push(block);
    this.waitingBytes += gathered;
    this.underWay += gathered;
    this.writing ??= this.writeWaiting(gathered === BLOCK_BYTES);
  }

  /** All that waits goes in one call: the event loop comes to the next one only when its tasks have had their turns. */
  private async writeWaiting(isLarge: boolean): Promise<void> {
    try {
      this.file ??= BlockFile.open(this.temporary, isLarge);
      const file = await this.file;
      while (this.waiting.length > 0) {
        const { waiting: blocks, waitingBytes: bytes } = this;
        this.waiting = [];
        this.waitingBytes = 0;
        await file.write(blocks, bytes);
        crashPoint("piece-begun");
        this.underWay -= bytes;
        for (const block of blocks) this.blocks.giveBack(block);
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

  /** Reads the sections of a part and key group, one after the other. @throws CorruptPieceError */
  async *read(wanted: SectionId): AsyncIterableIterator<ReadSection> {
    for (const entry of this.entriesOf(wanted)) yield await this.readOne(entry);
  }

  /** The same at once: where they lie is known, so that the disk need not wait. @param room memory for so many bytes */
  readAtOnce(wanted: SectionId, room: (bytes: number) => Buffer): Promise<readonly ReadSection[]> {
    return Promise.all(this.entriesOf(wanted).map((entry) => this.readOne(entry, room(entry.bytes))));
  }

  /** Reads all of it. @throws CorruptPieceError */
  async verify(): Promise<void> {
    for (const entry of this.sections) await this.readOne(entry);
  }

  private entriesOf({ part, group }: SectionId): readonly IndexEntry[] {
    return this.byPart.get(part)?.get(group) ?? NONE;
  }

  private async readOne({ at, bytes, crc }: IndexEntry, room?: Buffer): Promise<ReadSection> {
    const section = await readAt(this.file, this.path, at, bytes, room);
    if (crc32(section) !== crc) throw new CorruptPieceError(`a section of ${this.path} is damaged, at byte ${at}`);
    return { section, at };
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
