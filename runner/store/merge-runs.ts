import type { RunFile } from "./run-file.js";
import { appendSegment, compareCursors, isSameKey, SegmentCursor, type Segment } from "./segment.js";

/** All that several runs have of one key. */
export interface MergedKey {
  readonly hash: number;
  readonly key: Buffer;
  readonly segments: readonly Segment[];
  /** The values' bytes of each segment where they are few; undefined where they stay in the files. */
  readonly small: readonly Buffer[] | undefined;
}

/** Values up to this many bytes are handed over with their key. */
const SMALL_BYTES = 128 << 10;

/** The keys of several runs, each once, in their order; segments of a key in the order of the runs. */
export function* mergeRuns(runs: readonly RunFile[]): IterableIterator<MergedKey> {
  const heap = new CursorHeap(runs.map((run) => new SegmentCursor(run)).filter((cursor) => cursor.advance()));
  for (let first = heap.least; first !== undefined; first = heap.least) {
    const { hash, key } = first;
    const segments: Segment[] = [];
    let small: Buffer[] | undefined = [];
    let bytes = 0;
    for (let cursor = heap.least; cursor !== undefined && isSameKey(cursor, hash, key); cursor = heap.least) {
      segments.push(cursor.segment);
      bytes += cursor.segment.bytes;
      if (bytes > SMALL_BYTES) small = undefined;
      small?.push(cursor.values());
      heap.advanceLeast();
    }
    yield { hash, key, segments, small };
  }
}

/** Writes several runs as one. */
export function compactRuns(runs: readonly RunFile[], target: RunFile): void {
  for (const { hash, key, segments } of mergeRuns(runs))
    for (const { file, position, bytes, count } of segments) appendSegment(target, hash, key, count, file.read(position, bytes));
  target.flush();
}

/** A binary heap of cursors, each at a segment; of equal ones the one of the earlier run comes first. */
class CursorHeap {
  private readonly items: { readonly cursor: SegmentCursor; readonly rank: number }[] = [];

  constructor(cursors: readonly SegmentCursor[]) {
    this.items = cursors.map((cursor, rank) => ({ cursor, rank }));
    for (let at = (this.items.length >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  get least(): SegmentCursor | undefined {
    return this.items[0]?.cursor;
  }

  advanceLeast(): void {
    if (!this.items[0].cursor.advance()) {
      const last = this.items.pop()!;
      if (this.items.length === 0) return;
      this.items[0] = last;
    }
    this.sink(0);
  }

  private sink(start: number): void {
    const { items } = this;
    const item = items[start];
    let at = start;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.isBefore(items[child + 1], items[child])) child++;
      if (!this.isBefore(items[child], item)) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = item;
  }

  private isBefore(a: CursorHeap["items"][number], b: CursorHeap["items"][number]): boolean {
    return (compareCursors(a.cursor, b.cursor) || a.rank - b.rank) < 0;
  }
}
