import { windowFnFromProto } from "../../portability/payloads/window-fns.js";
import { PipelineError, type StageDescriptor, type StageHost } from "../../portability/stage-host/index.js";
import type { WindowFn } from "../../portability/windows/index.js";

/** The window function of a strategy, or undefined for one that only its SDK can execute. */
export function readWindowFn(host: StageHost, stage: StageDescriptor, windowingStrategyId: string): WindowFn | undefined {
  const known = host.windowFn?.(stage, windowingStrategyId);
  if (known !== undefined) return known;
  try {
    return windowFnFromProto(stage.components.windowingStrategies?.[windowingStrategyId]?.windowFn);
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}
