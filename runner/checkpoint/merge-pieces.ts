// Pieces of a checkpoint become one: what is in none of them any more takes no place, and there are never many to read.
import { NO_GROUP, SectionMerger, SectionWriter } from "../snapshot/index.js";
import { newPiece, openPiece, removePiece } from "./checkpoint-folder.js";
import { crashPoint } from "./crash-points.js";
import type { ManifestPiece } from "./manifest.js";
import type { PieceReader, SectionId } from "./piece-file.js";

/** What is to be merged, plain enough to go to another thread. */
export interface PieceMerge {
  readonly folder: string;
  readonly generation: number;
  /** How the generation calls what comes of it: a name that it has not used before. */
  readonly name: string;
  /** Next to each other in a manifest, in its order. */
  readonly pieces: readonly ManifestPiece[];
  /** Whether nothing is before them. */
  readonly isBase: boolean;
  /** By component, the epoch before which pieces say nothing of what its tasks keep besides keys. */
  readonly since: Readonly<Record<string, number>>;
}

/** Pieces that a manifest may have before some are merged. */
const MANY = 8;

/**
 * Which pieces to merge: from the oldest one on that is no larger than twice all behind it together, so that a byte is written again but a few
 * times however long the job runs. None as long as there are few.
 */
export function piecesToMerge<P extends { readonly bytes: number }>(
  pieces: readonly P[],
): { readonly from: number; readonly count: number } | undefined {
  if (pieces.length < MANY) return undefined;
  let from = pieces.length - 1;
  let behind = pieces[from].bytes;
  while (from > 0 && pieces[from - 1].bytes <= 2 * behind) behind += pieces[--from].bytes;
  // The pieces in front shrink by half at least, each to the next: there are few, but several small ones may not be enough to be worth while.
  return pieces.length - from < 2 ? { from: pieces.length - 2, count: 2 } : { from, count: pieces.length - from };
}

/** What a merge that did not come to its end, or came to it in vain, has left is gone. */
export function undoMerge({ folder, generation, name, pieces }: PieceMerge): Promise<void> {
  return removePiece(folder, pieces[pieces.length - 1].epoch, generation, name);
}

/** @throws CorruptPieceError; nothing is left behind then */
export async function mergePieces({ folder, generation, name, pieces, isBase, since }: PieceMerge): Promise<ManifestPiece> {
  const { epoch } = pieces[pieces.length - 1];
  const target = newPiece(folder, epoch, generation, name);
  const readers: PieceReader[] = [];
  try {
    for (const piece of pieces) readers.push(await openPiece(folder, piece));
    for (const id of sectionsOf(readers)) {
      const merger = new SectionMerger(isBase);
      for (const [i, reader] of readers.entries()) {
        if (isVoid(id, pieces[i].epoch, since)) continue;
        merger.nextSnapshot();
        for await (const { section } of reader.read(id)) merger.add(section);
      }
      const writer = new SectionWriter((group, bytes) => target.add({ part: id.part, group }, bytes));
      merger.write(id.group, writer);
      writer.flush();
      if (target.isBusy) await target.drained();
    }
    crashPoint("merging");
    return { ...(await target.finish()), epoch };
  } catch (error) {
    await target.abandon();
    throw error;
  } finally {
    for (const reader of readers) await reader.close();
  }
}

function sectionsOf(readers: readonly PieceReader[]): SectionId[] {
  const ids = new Map<string, SectionId>();
  for (const { ids: some } of readers) for (const { part, group } of some) ids.set(`${group} ${part}`, { part, group });
  return [...ids.values()];
}

function isVoid({ part, group }: SectionId, epoch: number, since: PieceMerge["since"]): boolean {
  return group === NO_GROUP && epoch < (since[part.slice(0, part.indexOf("/"))] ?? 0);
}
