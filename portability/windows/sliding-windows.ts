import { IntervalWindow, type Timestamp, type Window } from "../values/index.js";
import { RecentSpans } from "./recent-spans.js";
import type { WindowFn } from "./window-fn.js";

const NO_WINDOW: readonly Window[] = Object.freeze([]);

/**
 * Windows `[n·period + offset, n·period + offset + size)`, each timestamp in several of them: `beam:window_fn:sliding_windows:v1`.
 *
 * @example
 * ```ts
 * const windows = new SlidingWindows(60_000, 20_000).assign(90_000);
 * ```
 */
export class SlidingWindows implements WindowFn {
  readonly urn = "beam:window_fn:sliding_windows:v1";
  readonly merging = false;
  private readonly recent = new RecentSpans();

  constructor(
    /** Length in milliseconds, above zero. */
    readonly sizeMs: number,
    /** From the start of a window to that of the next, in milliseconds, above zero. Where it exceeds the size, timestamps in the gaps have no window. */
    readonly periodMs: number,
    /** Shift of the grid in milliseconds, in [0, period). */
    readonly offsetMs = 0,
  ) {
    for (const [what, ms] of [
      ["size", sizeMs],
      ["period", periodMs],
    ] as const)
      if (!(Number.isSafeInteger(ms) && ms > 0)) throw new RangeError(`window ${what} must be a whole number of ms above 0, not ${ms}`);
    if (!(Number.isSafeInteger(offsetMs) && offsetMs >= 0 && offsetMs < periodMs))
      throw new RangeError(`window offset must be a whole number of ms in [0, ${periodMs}), not ${offsetMs}`);
  }

  assign(timestamp: Timestamp): readonly Window[] {
    return this.recent.find(timestamp) ?? this.newWindows(timestamp);
  }

  /** What tells it from others; not the windows it remembers. */
  toJSON(): object {
    return { urn: this.urn, sizeMs: this.sizeMs, periodMs: this.periodMs, offsetMs: this.offsetMs };
  }

  private newWindows(timestamp: Timestamp): readonly Window[] {
    const lastStart = this.gridAtOrBefore(timestamp);
    if (lastStart + this.sizeMs <= timestamp) return NO_WINDOW; // in a gap
    const windows: Window[] = [];
    for (let start = lastStart; start + this.sizeMs > timestamp; start -= this.periodMs)
      windows.push(new IntervalWindow(start, start + this.sizeMs));
    // The set changes where a window starts, or where the earliest of these ends.
    const from = Math.max(lastStart, lastStart - windows.length * this.periodMs + this.sizeMs);
    const to = Math.min(lastStart + this.periodMs, windows[windows.length - 1].maxTimestamp + 1);
    return this.recent.add(from, to, windows);
  }

  private gridAtOrBefore(timestamp: Timestamp): Timestamp {
    const remainder = (timestamp - this.offsetMs) % this.periodMs;
    return timestamp - (remainder < 0 ? remainder + this.periodMs : remainder);
  }
}
