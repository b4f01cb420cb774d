import { windowFnFromProto } from "../../portability/payloads/window-fns.js";
import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { WindowFn } from "../../portability/windows/index.js";

/** The window function of a strategy, or undefined for one that only its SDK can execute. */
export function readWindowFn(components: beam.pipeline.IComponents, windowingStrategyId: string): WindowFn | undefined {
  try {
    return windowFnFromProto(components.windowingStrategies?.[windowingStrategyId]?.windowFn);
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}
