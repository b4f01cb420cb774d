import { windowFnFromProto } from "../../portability/payloads/window-fns.js";
import type { beam } from "../../portability/protos/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";
import type { WindowFn } from "../../portability/windows/index.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import type { Program } from "./program.js";

/** The window function that a message names: a known one, or one of the program's own. @throws PipelineError */
export function windowFnOf(spec: beam.pipeline.IFunctionSpec | null | undefined, program: Program): WindowFn {
  if (spec?.urn !== BEAMSTORM.WINDOW_FN) return windowFnFromProto(spec);
  // What it is called with is what the transform that it was found in is given.
  return program.primitive(readFunctionPayload(spec.payload).transform, "window-into").windowing.windowFn as WindowFn;
}
