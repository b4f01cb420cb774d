import { beam } from "../../portability/protos/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";

/** Whether a `ReadPayload` names an unbounded source of a program, which its stage host can open. */
export function isOwnSource(payload: Uint8Array): boolean {
  try {
    const { source, isBounded } = beam.pipeline.ReadPayload.decode(payload);
    return source?.urn === BEAMSTORM.SOURCE && isBounded === beam.pipeline.IsBounded.Enum.UNBOUNDED;
  } catch {
    return false; // not one of ours then
  }
}
