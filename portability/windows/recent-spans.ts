import type { Timestamp, Window } from "../values/index.js";

/** Timestamps from `from` up to `to`, exclusive, which have the same windows. */
interface Span {
  readonly from: Timestamp;
  readonly to: Timestamp;
  readonly windows: readonly Window[];
}

/** How many are remembered: more than streams that are a little out of order go back and forth between. */
const SPANS = 8;

/**
 * The windows of timestamps that were asked for lately: neighbours share them, also where they come out of order. Sharing saves allocation,
 * and whoever combines by window need not compare windows that are the same object.
 *
 * @internal
 */
export class RecentSpans {
  private last: Span = { from: Infinity, to: -Infinity, windows: [] };
  private readonly spans: Span[] = [];
  private next = 0;

  find(timestamp: Timestamp): readonly Window[] | undefined {
    const { last } = this;
    return timestamp >= last.from && timestamp < last.to ? last.windows : this.search(timestamp);
  }

  /** Takes the place of the one that was added first. */
  add(from: Timestamp, to: Timestamp, windows: readonly Window[]): readonly Window[] {
    this.last = this.spans[this.next] = { from, to, windows };
    this.next = (this.next + 1) % SPANS;
    return windows;
  }

  private search(timestamp: Timestamp): readonly Window[] | undefined {
    for (const span of this.spans) {
      if (timestamp < span.from || timestamp >= span.to) continue;
      this.last = span;
      return span.windows;
    }
    return undefined;
  }
}
