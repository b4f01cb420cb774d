import { Worker } from "node:worker_threads";
import { crashPoint } from "./crash-points.js";
import type { ManifestPiece } from "./manifest.js";
import { piecesToMerge, undoMerge, type PieceMerge } from "./merge-pieces.js";

interface Merging {
  readonly merge: PieceMerge;
  readonly thread: Worker;
  readonly ended: Promise<void>;
  isDone: boolean;
}

interface Merged {
  readonly merge: PieceMerge;
  readonly into: ManifestPiece;
}

/**
 * Keeps the number of pieces small: merges some of those of a published manifest, in a thread of its own, and puts what that gives into the
 * manifests that follow.
 *
 * - M1. One merge at a time. That one fails does no harm: all pieces are still there, and are merged with the next ones.
 * - M2. What no manifest was given is gone when {@link stop} resolves.
 */
export class PieceMerger {
  private merging: Merging | undefined;
  private merged: Merged | undefined;
  private count = 0;

  constructor(
    private readonly merge: Pick<PieceMerge, "folder" | "generation" | "since">,
    private readonly failed: (error: Error) => void,
  ) {}

  /** The pieces as the next manifest should name them. */
  apply(pieces: readonly ManifestPiece[]): readonly ManifestPiece[] {
    const { merged } = this;
    if (merged === undefined) return pieces;
    this.merged = undefined;
    const names = new Set(merged.merge.pieces.map(({ name }) => name));
    const first = pieces.findIndex(({ name }) => names.has(name));
    return [...pieces.slice(0, first), merged.into, ...pieces.slice(first).filter(({ name }) => !names.has(name))];
  }

  /** To be called when a manifest with these pieces has been published. */
  published(pieces: readonly ManifestPiece[]): void {
    if (this.merging !== undefined || this.merged !== undefined) return;
    const range = piecesToMerge(pieces);
    if (range === undefined) return;
    const some = pieces.slice(range.from, range.from + range.count);
    const merge: PieceMerge = { ...this.merge, name: `merged${++this.count}`, pieces: some, isBase: range.from === 0 };
    const thread = new Worker(new URL("./merge-thread.js", import.meta.url), { workerData: merge });
    const ended = new Promise<void>((resolve) => {
      thread.once("message", (into: ManifestPiece) => {
        this.merged = { merge, into };
        merging.isDone = true;
        crashPoint("merged");
      });
      thread.once("error", this.failed);
      thread.once("exit", () => {
        this.merging = undefined;
        resolve();
      });
    });
    const merging: Merging = { merge, thread, ended, isDone: false };
    this.merging = merging;
  }

  /** Resolves when nothing is merged any more (M2). */
  async stop(): Promise<void> {
    const { merging } = this;
    await merging?.thread.terminate();
    await merging?.ended;
    const vain = this.merged?.merge ?? (merging?.isDone === false ? merging.merge : undefined);
    this.merged = undefined;
    if (vain !== undefined) await undoMerge(vain);
  }
}
