import { IntervalWindow, type Timestamp } from "../../portability/values/index.js";

/** Something that belongs to a window and can take over what belongs to another one. */
export interface Mergeable {
  window: IntervalWindow;
}

/**
 * The active windows of one key: intervals of which no two overlap.
 *
 * - M1. A new interval merges with all that it overlaps; the outcome does not depend on the order in which intervals come.
 * - M2. Intervals that only touch stay apart: an element exactly one gap after the last starts another session.
 */
export class MergingWindows<S extends Mergeable> {
  /** By start, and so by end. */
  private readonly active: S[] = [];

  get size(): number {
    return this.active.length;
  }

  /**
   * Those that the interval overlaps, taken out, the earliest first. The caller makes one of them and puts it back with
   * {@link add}.
   */
  takeOverlapping(start: Timestamp, end: Timestamp): S[] {
    const { active } = this;
    let from = active.length;
    while (from > 0 && active[from - 1].window.end > start) from--;
    let to = from;
    while (to < active.length && active[to].window.start < end) to++;
    return active.splice(from, to - from);
  }

  /** Adds one that overlaps none of the others. */
  add(session: S): void {
    const { active } = this;
    let at = active.length;
    while (at > 0 && active[at - 1].window.start > session.window.start) at--;
    active.splice(at, 0, session);
  }

  remove(session: S): void {
    const at = this.active.indexOf(session);
    if (at >= 0) this.active.splice(at, 1);
  }
}

/** The least interval that holds both. */
export function span(a: IntervalWindow, b: IntervalWindow): IntervalWindow {
  if (a.start <= b.start && a.end >= b.end) return a;
  return new IntervalWindow(Math.min(a.start, b.start), Math.max(a.end, b.end));
}
