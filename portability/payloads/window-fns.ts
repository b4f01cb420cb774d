import Long from "long";
import { beam, type google } from "../protos/index.js";
import { FIXED_WINDOW_FN, SESSION_WINDOW_FN, SLIDING_WINDOW_FN } from "../urns/index.js";
import { PipelineError } from "../stage-host/index.js";
import { FixedWindows, globalWindows, Sessions, SlidingWindows, type WindowFn } from "../windows/index.js";

/** The window function as a FunctionSpec with Beam's URN and payload. */
export function windowFnToProto(windowFn: WindowFn): beam.pipeline.IFunctionSpec {
  if (windowFn instanceof FixedWindows)
    return {
      urn: windowFn.urn,
      payload: beam.pipeline.FixedWindowsPayload.encode({
        size: durationOf(windowFn.sizeMs),
        offset: timestampOf(windowFn.offsetMs),
      }).finish(),
    };
  if (windowFn instanceof SlidingWindows)
    return {
      urn: windowFn.urn,
      payload: beam.pipeline.SlidingWindowsPayload.encode({
        size: durationOf(windowFn.sizeMs),
        offset: timestampOf(windowFn.offsetMs),
        period: durationOf(windowFn.periodMs),
      }).finish(),
    };
  if (windowFn instanceof Sessions)
    return { urn: windowFn.urn, payload: beam.pipeline.SessionWindowsPayload.encode({ gapSize: durationOf(windowFn.gapMs) }).finish() };
  return { urn: windowFn.urn, payload: new Uint8Array() };
}

/** @throws PipelineError for a window function that this SDK does not know. */
export function windowFnFromProto(spec: beam.pipeline.IFunctionSpec | null | undefined): WindowFn {
  switch (spec?.urn) {
    case globalWindows.urn:
      return globalWindows;
    case FIXED_WINDOW_FN.PROPERTIES: {
      const payload = beam.pipeline.FixedWindowsPayload.decode(spec.payload ?? new Uint8Array());
      return new FixedWindows(millisOf(payload.size), millisOf(payload.offset));
    }
    case SLIDING_WINDOW_FN.PROPERTIES: {
      const payload = beam.pipeline.SlidingWindowsPayload.decode(spec.payload ?? new Uint8Array());
      return new SlidingWindows(millisOf(payload.size), millisOf(payload.period), millisOf(payload.offset));
    }
    case SESSION_WINDOW_FN.PROPERTIES: {
      const payload = beam.pipeline.SessionWindowsPayload.decode(spec.payload ?? new Uint8Array());
      return new Sessions(millisOf(payload.gapSize));
    }
    default:
      throw new PipelineError("unknown_window_fn", `window function ${spec?.urn ?? "(none)"} is not known`);
  }
}

function durationOf(ms: number): google.protobuf.IDuration {
  return { seconds: Long.fromNumber(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
}

function timestampOf(ms: number): google.protobuf.ITimestamp {
  return { seconds: Long.fromNumber(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
}

function millisOf(value: google.protobuf.IDuration | google.protobuf.ITimestamp | null | undefined): number {
  return Number(value?.seconds ?? 0) * 1000 + Math.round((value?.nanos ?? 0) / 1e6);
}
