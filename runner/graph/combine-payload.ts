import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";

/** @throws PipelineError `malformed_transform` */
export function decodeCombinePayload(uniqueName: string, payload: Uint8Array): beam.pipeline.ICombinePayload {
  try {
    return beam.pipeline.CombinePayload.decode(payload);
  } catch (cause) {
    throw new PipelineError("malformed_transform", `transform "${uniqueName}" has a payload that is no CombinePayload`, { cause });
  }
}
