import { UserCodeError, type StageDescriptor } from "../../portability/stage-host/index.js";

/** What the Python SDK adds to an error: the transform that was at work. */
const WHILE_RUNNING = /\[while running ['"](.+?)(?:-ptransform-\d+)?['"]\]/;

/** An error that a harness answers with, with the traceback or stack that it gives. */
export function harnessError(text: string, stage: StageDescriptor): UserCodeError {
  const transform = WHILE_RUNNING.exec(text)?.[1] ?? namesOf(stage);
  return new UserCodeError({ transform }, "process failed", new Error(text.trimEnd()));
}

/** The harness was lost: what it had of the stage is done again by another one, as often as any other failure. */
export function lossError(cause: Error, stage: StageDescriptor): UserCodeError {
  return new UserCodeError({ transform: namesOf(stage) }, "the work was lost", cause);
}

/** The transforms of a stage, by the names that their author knows. */
export function namesOf({ transformIds, components }: StageDescriptor): string {
  return transformIds.map((id) => components.transforms?.[id]?.uniqueName || id).join(", ");
}
