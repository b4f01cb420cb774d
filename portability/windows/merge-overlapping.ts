import { IntervalWindow, type Window } from "../values/index.js";
import type { WindowMerge } from "./window-fn.js";

/**
 * How sessions merge: intervals that overlap become the least one that holds them.
 *
 * - M1. The outcome does not depend on the order in which intervals come, nor on whether some of them have merged before.
 * - M2. Intervals that only touch stay apart: an element exactly one gap after the last starts another session.
 *
 * @throws TypeError for windows that are no intervals
 * @internal
 */
export function mergeOverlapping(windows: readonly Window[]): readonly WindowMerge[] {
  const merges: WindowMerge[] = [];
  let run: IntervalWindow[] = [];
  let end = -Infinity;
  const close = (): void => {
    if (run.length > 1) merges.push({ windows: run, into: new IntervalWindow(run[0].start, end) });
  };
  for (const window of windows.map(intervalOf).sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (window.start >= end) {
      close();
      run = [];
      end = window.end;
    }
    run.push(window);
    end = Math.max(end, window.end);
  }
  close();
  return merges;
}

function intervalOf(window: Window): IntervalWindow {
  if (window instanceof IntervalWindow) return window;
  throw new TypeError(`only intervals merge by overlap, not the window ${window.toString()}`);
}
