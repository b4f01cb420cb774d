import { GLOBAL_WINDOW_MAX_TIMESTAMP, IntervalWindow, type Timestamp, type Window } from "../values/index.js";
import { RecentSpans } from "./recent-spans.js";
import type { WindowFn } from "./window-fn.js";

/**
 * Windows `[n·size + offset, (n+1)·size + offset)`, `beam:window_fn:fixed_windows:v1`.
 *
 * @example
 * ```ts
 * const [window] = new FixedWindows(60_000).assign(90_000);
 * ```
 */
export class FixedWindows implements WindowFn {
  readonly urn = "beam:window_fn:fixed_windows:v1";
  readonly merging = false;
  private readonly recent = new RecentSpans();

  constructor(
    /** Length in milliseconds, above zero. */
    readonly sizeMs: number,
    /** Shift of the grid in milliseconds, in [0, size). */
    readonly offsetMs = 0,
  ) {
    if (!(Number.isSafeInteger(sizeMs) && sizeMs > 0))
      throw new RangeError(`window size must be a whole number of ms above 0, not ${sizeMs}`);
    if (!(Number.isSafeInteger(offsetMs) && offsetMs >= 0 && offsetMs < sizeMs))
      throw new RangeError(`window offset must be a whole number of ms in [0, ${sizeMs}), not ${offsetMs}`);
  }

  assign(timestamp: Timestamp): readonly Window[] {
    return this.recent.find(timestamp) ?? this.newWindow(timestamp);
  }

  /** What tells it from others; not the windows it remembers. */
  toJSON(): object {
    return { urn: this.urn, sizeMs: this.sizeMs, offsetMs: this.offsetMs };
  }

  private newWindow(timestamp: Timestamp): readonly Window[] {
    const remainder = (timestamp - this.offsetMs) % this.sizeMs;
    const start = timestamp - (remainder < 0 ? remainder + this.sizeMs : remainder);
    let end = start + this.sizeMs;
    // As in Beam: the last window ends with the global one, not beyond all timestamps that an element can have.
    if (start <= GLOBAL_WINDOW_MAX_TIMESTAMP && end > GLOBAL_WINDOW_MAX_TIMESTAMP + 1) end = GLOBAL_WINDOW_MAX_TIMESTAMP + 1;
    return this.recent.add(start, end, [new IntervalWindow(start, end)]);
  }
}
