import { globalWindows, type WindowFn } from "../../portability/windows/index.js";

/** Which timestamp the result of a grouping carries. */
export type TimestampCombiner = "end-of-window" | "earliest" | "latest";

/** How a PCollection is windowed: the SDK's form of Beam's `WindowingStrategy`. */
export interface WindowingStrategy {
  readonly windowFn: WindowFn;
  readonly timestampCombiner: TimestampCombiner;
  readonly allowedLatenessMs: number;
  /** True behind a grouping whose windows merged: they are final, and do not merge again. */
  readonly alreadyMerged?: boolean;
}

/** How the output of a grouping is windowed. */
export function groupedWindowing(windowing: WindowingStrategy): WindowingStrategy {
  return windowing.windowFn.merging && windowing.alreadyMerged !== true ? { ...windowing, alreadyMerged: true } : windowing;
}

export const GLOBAL_WINDOWING: WindowingStrategy = {
  windowFn: globalWindows,
  timestampCombiner: "end-of-window",
  allowedLatenessMs: 0,
};

/** Whether elements of both may meet in one PCollection. */
export function sameWindowing(a: WindowingStrategy, b: WindowingStrategy): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
