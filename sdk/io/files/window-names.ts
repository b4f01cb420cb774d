import { GlobalWindow, IntervalWindow, type PaneInfo, type Timestamp, type Window } from "../../../portability/values/index.js";

/** What stands for a window, and for its pane where it has several, in the name of a file: the names of earlier windows come first. */
export function windowName(window: Window, { isFirst, isLast, index }: PaneInfo): string {
  const pane = isFirst && isLast ? [] : [`pane-${String(index).padStart(5, "0")}`];
  const text = window instanceof GlobalWindow ? [] : [window instanceof IntervalWindow ? intervalName(window) : plain(window.toString())];
  return [...text, ...pane].join("-");
}

const intervalName = ({ start, end }: IntervalWindow): string => `${instantName(start)}--${instantName(end)}`;

/** Without colons, which some file systems do not take. */
function instantName(instant: Timestamp): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? String(instant) : date.toISOString().slice(0, -1).replaceAll(":", "-");
}

const plain = (text: string): string => text.replace(/[^\w.,+=@-]+/g, "_");
