import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";

/** @throws PipelineError `malformed_transform` */
export function decodeParDoPayload(uniqueName: string, payload: Uint8Array): beam.pipeline.IParDoPayload {
  try {
    return beam.pipeline.ParDoPayload.decode(payload);
  } catch (cause) {
    throw new PipelineError("malformed_transform", `transform "${uniqueName}" has a payload that is no ParDoPayload`, { cause });
  }
}
