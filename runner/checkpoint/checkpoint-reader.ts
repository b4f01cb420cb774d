// Reads what a checkpoint has of some tasks: records by part and key group, put together from all of its pieces.
import { SectionMerger, type StateRecord, type StoredSection } from "../snapshot/index.js";
import { openPiece } from "./checkpoint-folder.js";
import type { ManifestPiece, Manifest } from "./manifest.js";
import type { PieceReader, SectionId } from "./piece-file.js";

interface OpenPiece {
  readonly piece: ManifestPiece;
  readonly reader: PieceReader;
}

export class CheckpointReader {
  private constructor(private readonly pieces: readonly OpenPiece[]) {}

  /** @throws CorruptPieceError */
  static async open(folder: string, { pieces }: Manifest): Promise<CheckpointReader> {
    const opened: OpenPiece[] = [];
    try {
      for (const piece of pieces) opened.push({ piece, reader: await openPiece(folder, piece) });
    } catch (error) {
      for (const { reader } of opened) await reader.close();
      throw error;
    }
    return new CheckpointReader(opened);
  }

  /** The key groups that a part has records of. */
  groupsOf(part: string): ReadonlySet<number> {
    return new Set(this.pieces.flatMap(({ reader }) => [...reader.groupsOf(part)]));
  }

  /** Whether there is anything of a part. */
  has(part: string): boolean {
    return this.pieces.some(({ reader }) => [...reader.parts].includes(part));
  }

  /** @param since pieces of earlier epochs do not count. @throws CorruptPieceError, CoderError */
  async records(wanted: SectionId, since = 0): Promise<Iterable<StateRecord>> {
    const merger = new SectionMerger();
    for (const sections of await this.sections(wanted, since)) {
      merger.nextSnapshot();
      for (const { bytes } of sections) merger.add(bytes);
    }
    return merger.result;
  }

  /**
   * The sections of each piece, the earliest piece first.
   *
   * @param since pieces of earlier epochs do not count
   * @param room where to put them: what was there is overwritten
   * @throws CorruptPieceError
   */
  async sections(wanted: SectionId, since = 0, room = new ReadRoom()): Promise<readonly (readonly StoredSection[])[]> {
    room.reset(this.pieces.reduce((sum, { piece, reader }) => sum + (piece.epoch < since ? 0 : reader.bytesOf(wanted)), 0));
    const snapshots: (readonly StoredSection[])[] = [];
    for (const { piece, reader } of this.pieces) {
      if (piece.epoch < since) continue;
      const sections = await reader.readAtOnce(wanted, room.take);
      snapshots.push(sections.map(({ section: bytes, at }) => ({ bytes, file: reader.path, at })));
    }
    return snapshots;
  }

  async close(): Promise<void> {
    for (const { reader } of this.pieces) await reader.close();
  }
}

/** Memory that sections are read into, again and again: new memory costs as much as reading. */
export class ReadRoom {
  private buffer = Buffer.alloc(0);
  private used = 0;

  /** What was there is not needed any more, and so many bytes are to come. */
  reset(bytes: number): void {
    this.used = 0;
    if (bytes > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  readonly take = (bytes: number): Buffer => this.buffer.subarray(this.used, (this.used += bytes));
}
