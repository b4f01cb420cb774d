import { PipelineError } from "../../portability/stage-host/index.js";

/** What a function's payload says: which transform of the program it belongs to (design D2). */
export interface FunctionPayload {
  readonly transform: string;
}

export function writeFunctionPayload(payload: FunctionPayload): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(payload));
}

/** @throws PipelineError when the bytes are not such a payload. */
export function readFunctionPayload(bytes: Uint8Array | null | undefined): FunctionPayload {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()));
  } catch (cause) {
    throw new PipelineError("bad_payload", "a function's payload is not readable: it was not written by this SDK", { cause });
  }
  if (typeof parsed !== "object" || parsed === null || !("transform" in parsed) || typeof parsed.transform !== "string")
    throw new PipelineError("bad_payload", "a function's payload names no transform: it was not written by this SDK");
  return { transform: parsed.transform };
}
