/** Which timestamp a pane carries, of the elements in it and its window. */
export type TimestampCombiner = "end-of-window" | "earliest" | "latest";

/** The part of a windowing strategy that grouping under the default trigger needs, free of protos. */
export interface GroupingStrategy {
  readonly timestampCombiner: TimestampCombiner;
  /** How long after its end a window still takes elements, in milliseconds of event time. */
  readonly allowedLatenessMs: number;
  /** Whether a later pane repeats the values of the earlier ones. */
  readonly accumulating: boolean;
  /** Whether windows of a key that overlap become one. */
  readonly merging: boolean;
}

/** Beam's default windowing strategy, whatever the window function. */
export const DEFAULT_GROUPING: GroupingStrategy = {
  timestampCombiner: "end-of-window",
  allowedLatenessMs: 0,
  accumulating: false,
  merging: false,
};
