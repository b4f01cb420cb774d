import { PipelineError } from "../../portability/stage-host/index.js";
import { continuationOf, DEFAULT_TRIGGER, globalWindows, mayFinish, type Trigger, type WindowFn } from "../../portability/windows/index.js";

/** Which timestamp the result of a grouping carries. */
export type TimestampCombiner = "end-of-window" | "earliest" | "latest";

/** How a PCollection is windowed: the SDK's form of Beam's `WindowingStrategy`. */
export interface WindowingStrategy {
  readonly windowFn: WindowFn<never>;
  readonly timestampCombiner: TimestampCombiner;
  readonly allowedLatenessMs: number;
  readonly trigger: Trigger;
  /** Whether a pane holds what its window has had so far, or only what is new. */
  readonly panes: "discarding" | "accumulating";
  /** Whether the pane at the end of a window is emitted even if it is empty. */
  readonly emptyOnTimePane: boolean;
  /** Whether a window emits a last pane when it expires even if nothing is new. */
  readonly emptyFinalPane: boolean;
  /** True behind a grouping whose windows merged: they are final, and do not merge again. */
  readonly alreadyMerged?: boolean;
  /** Whether the trigger may lose elements, and its author has said that this is wanted. */
  readonly unsafe?: boolean;
}

export const GLOBAL_WINDOWING: WindowingStrategy = {
  windowFn: globalWindows,
  timestampCombiner: "end-of-window",
  allowedLatenessMs: 0,
  trigger: DEFAULT_TRIGGER,
  panes: "discarding",
  emptyOnTimePane: true,
  emptyFinalPane: false,
};

/** How the output of a grouping is windowed: its panes are grouped again as they come. */
export function groupedWindowing(windowing: WindowingStrategy): WindowingStrategy {
  const merged = windowing.windowFn.merging && windowing.alreadyMerged !== true;
  const trigger = continuationOf(windowing.trigger);
  if (!merged && trigger === windowing.trigger) return windowing;
  return { ...windowing, trigger, ...(merged ? { alreadyMerged: true } : {}) };
}

/** Whether elements of both may meet in one PCollection. */
export function sameWindowing(a: WindowingStrategy, b: WindowingStrategy): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Refuses what would never emit, or would drop elements without a word.
 *
 * @param keepsLate whether what comes too late has an output of its own, so that nothing is lost
 * @throws PipelineError
 */
export function checkGroupable(
  transform: string,
  { windowing, isBounded }: { windowing: WindowingStrategy; isBounded: boolean },
  keepsLate = false,
): void {
  const { windowFn, trigger, allowedLatenessMs, unsafe } = windowing;
  if (unsafe === true) return;
  if (!isBounded && windowFn === globalWindows && trigger.kind === "default")
    throw new PipelineError(
      "unbounded_group",
      `"${transform}" groups an unbounded PCollection in the global window, which never ends: no group would ever be emitted; ` +
        "apply windowInto() with other windows, or with a trigger such as repeatedly(afterDelay(seconds(5)))",
    );
  if (keepsLate || !mayFinish(trigger)) return;
  if (trigger.kind === "after-end-of-window" && allowedLatenessMs === 0) return; // nothing can come behind it
  throw new PipelineError(
    "unsafe_trigger",
    `"${transform}" groups under a trigger that finishes (${trigger.kind}), so that what comes later would be lost; ` +
      "wrap it in repeatedly(), or say { unsafeTrigger: true } where that is wanted",
  );
}
