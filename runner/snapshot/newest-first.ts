import { ByteReader } from "../../portability/coders/index.js";
import type { StoredSection } from "./snapshot-part.js";
import { ADDED, DROPPED, GONE, latin1, WHOLE } from "./section-format.js";

/** A record in a section: behind its kind it is `[start, end)`, its id `[id, idEnd)`, its payload `[payload, end)`. */
export type TellRecord = (section: StoredSection, start: number, id: number, idEnd: number, payload: number, end: number) => void;

/**
 * The records of one part and key group, of which some snapshots each hold what had changed, without any of them being copied or remembered here: the
 * last snapshot first. What a later one says is gone is not told; that a record has been told before is for the one who is told to know.
 *
 * Only of parts whose records are always written whole.
 *
 * @param snapshots the sections of each, the earliest first
 * @throws CoderError if the bytes are none of a section
 */
export function newestFirst(snapshots: readonly (readonly StoredSection[])[], tell: TellRecord): void {
  const gone = new Set<string>();
  /** Of those in {@link gone}: most records are told from all of them without making a text of their ids. */
  const goneHashes = new Set<number>();
  const dropped: string[] = [];
  for (let i = snapshots.length - 1; i >= 0; i--) {
    const goneBefore: string[] = [];
    const droppedBefore: string[] = [];
    const counts = (section: Uint8Array, from: number, to: number): boolean => {
      if (dropped.length === 0 && (gone.size === 0 || !goneHashes.has(hashOf(section, from, to)))) return true;
      const id = latin1(section.subarray(from, to));
      return !gone.has(id) && !dropped.some((beginning) => id.startsWith(beginning));
    };
    for (const section of snapshots[i]) {
      const { bytes } = section;
      const reader = new ByteReader(bytes);
      while (reader.remaining > 0) {
        const kind = reader.readByte();
        const start = reader.offset;
        const idLength = reader.readLength();
        const id = reader.offset;
        const idEnd = id + idLength;
        reader.skip(idLength);
        if (kind === WHOLE) {
          const length = reader.readLength();
          const payload = reader.offset;
          reader.skip(length);
          if (counts(bytes, id, idEnd)) tell(section, start, id, idEnd, payload, reader.offset);
        } else if (kind === GONE) {
          goneBefore.push(latin1(bytes.subarray(id, idEnd)));
          goneHashes.add(hashOf(bytes, id, idEnd));
        } else if (kind === DROPPED) droppedBefore.push(latin1(bytes.subarray(id, idEnd)));
        else reader.fail(kind === ADDED ? "a part of a record where whole ones are due" : `${kind} where a kind of record is due`);
      }
    }
    for (const id of goneBefore) gone.add(id);
    dropped.push(...droppedBefore);
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
