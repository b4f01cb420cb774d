import { beam } from "../../portability/protos/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";

/** Whether a `ReadPayload` names a source of a program, which its stage host can open. */
export function isOwnSource(payload: Uint8Array): boolean {
  try {
    return beam.pipeline.ReadPayload.decode(payload).source?.urn === BEAMSTORM.SOURCE;
  } catch {
    return false; // not one of ours then
  }
}
