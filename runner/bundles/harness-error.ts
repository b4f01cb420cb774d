import { UserCodeError, type StageDescriptor } from "../../portability/stage-host/index.js";

/** What the Python SDK adds to an error: the transform that was at work. */
const WHILE_RUNNING = /\[while running ['"](.+?)(?:-ptransform-\d+)?['"]\]/;

/** An error that a harness answers with, with the traceback or stack that it gives. */
export function harnessError(text: string, stage: StageDescriptor): UserCodeError {
  const names = stage.transformIds.map((id) => stage.components.transforms?.[id]?.uniqueName || id);
  const transform = WHILE_RUNNING.exec(text)?.[1] ?? names.join(", ");
  return new UserCodeError({ transform }, "process failed", new Error(text.trimEnd()));
}
