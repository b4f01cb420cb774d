import { IntervalWindow, type Timestamp, type Window } from "../values/index.js";
import { mergeOverlapping } from "./merge-overlapping.js";
import type { WindowFn } from "./window-fn.js";

/**
 * Sessions of activity, `beam:window_fn:session_windows:v1`: an element starts as the window `[timestamp, timestamp + gap)`, and
 * those of one key that overlap merge when they are grouped.
 *
 * @example
 * ```ts
 * const [window] = new Sessions(60_000).assign(90_000);
 * ```
 */
export class Sessions implements WindowFn {
  readonly urn = "beam:window_fn:session_windows:v1";
  readonly merging = true;

  constructor(
    /** Milliseconds without an element after which a session is over, above zero. */
    readonly gapMs: number,
  ) {
    if (!(Number.isSafeInteger(gapMs) && gapMs > 0)) throw new RangeError(`session gap must be a whole number of ms above 0, not ${gapMs}`);
  }

  readonly merge = mergeOverlapping;

  assign(timestamp: Timestamp): readonly Window[] {
    return [new IntervalWindow(timestamp, timestamp + this.gapMs)];
  }

  /** What tells it from others. */
  toJSON(): object {
    return { urn: this.urn, gapMs: this.gapMs };
  }
}
