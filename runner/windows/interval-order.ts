// What belongs to the windows of one key, where those are intervals apart from each other, in their order: most of what comes is at the end.
import { IntervalWindow, type Window } from "../../portability/values/index.js";

interface Windowed {
  readonly window: Window;
}

/** Those that overlap a window; all of them if they are no intervals. @param cells in the order of their windows, none of which overlap */
export function overlapping<C extends Windowed>(cells: readonly C[], window: Window): readonly C[] {
  if (!(window instanceof IntervalWindow)) return cells;
  let to = cells.length;
  while (to > 0 && intervalOf(cells[to - 1]).start >= window.end) to--;
  let from = to;
  while (from > 0 && intervalOf(cells[from - 1]).end > window.start) from--;
  return cells.slice(from, to);
}

/** Puts a cell among others in the order of their windows; at the end, if it has no interval. */
export function insertInOrder<C extends Windowed>(cells: C[], cell: C): void {
  let at = cells.length;
  if (cell.window instanceof IntervalWindow) while (at > 0 && intervalOf(cells[at - 1]).start > cell.window.start) at--;
  if (at === cells.length) cells.push(cell);
  else cells.splice(at, 0, cell);
}

function intervalOf({ window }: Windowed): IntervalWindow {
  return window as IntervalWindow;
}
