import { DEFAULT_TRIGGER, isDefaultTrigger, type Trigger, type WindowMerge } from "../../portability/windows/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";

/** Which timestamp a pane carries, of the elements in it and its window. */
export type TimestampCombiner = "end-of-window" | "earliest" | "latest";

/** How the windows of a key merge: whatever is not named stays as it is. */
export type MergeWindows = (windows: readonly Window[]) => readonly WindowMerge[];

/** The part of a windowing strategy that grouping needs, free of protos. */
export interface GroupingStrategy {
  readonly trigger: Trigger;
  readonly timestampCombiner: TimestampCombiner;
  /** What the combiner is given for an element's timestamp in a window; the timestamp itself where this is undefined. */
  readonly outputTime?: (timestamp: Timestamp, window: Window) => Timestamp;
  /** How long after its end a window still takes elements, in milliseconds of event time. */
  readonly allowedLatenessMs: number;
  /** Whether a later pane repeats the values of the earlier ones. */
  readonly accumulating: boolean;
  /** Whether the pane at the end of a window is emitted when it is empty, where the trigger has such a pane. */
  readonly emptyOnTimePane: boolean;
  /** Whether the last pane, when a window expires or its trigger finishes, is emitted when it is empty. */
  readonly emptyFinalPane: boolean;
  /** Undefined where windows do not merge. */
  readonly merge: MergeWindows | undefined;
}

/** Beam's default windowing strategy, whatever the window function. */
export const DEFAULT_GROUPING: GroupingStrategy = {
  trigger: DEFAULT_TRIGGER,
  timestampCombiner: "end-of-window",
  allowedLatenessMs: 0,
  accumulating: false,
  emptyOnTimePane: true,
  emptyFinalPane: false,
  merge: undefined,
};

/** Whether each key and window has one pane, at the end of the window: what {@link GroupByKey} is for. */
export function hasOnePane({ trigger, allowedLatenessMs, merge, outputTime }: GroupingStrategy): boolean {
  if (allowedLatenessMs > 0 || merge !== undefined || outputTime !== undefined) return false;
  return isDefaultTrigger(trigger) || (trigger.kind === "after-end-of-window" && !trigger.early);
}
