import Long from "long";
import { beam, type google } from "../protos/index.js";
import { BEAMSTORM, FIXED_WINDOW_FN, SESSION_WINDOW_FN, SLIDING_WINDOW_FN } from "../urns/index.js";
import { PipelineError } from "../stage-host/index.js";
import {
  CalendarWindows,
  FixedWindows,
  globalWindows,
  Sessions,
  SlidingWindows,
  type CalendarSpec,
  type WindowFn,
} from "../windows/index.js";

/** The window function as a FunctionSpec with Beam's URN and payload. */
export function windowFnToProto(windowFn: WindowFn<never>): beam.pipeline.IFunctionSpec {
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
  if (windowFn instanceof CalendarWindows) return { urn: windowFn.urn, payload: new TextEncoder().encode(JSON.stringify(windowFn.spec)) };
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
    case BEAMSTORM.CALENDAR_WINDOWS:
      return new CalendarWindows(calendarSpecFrom(spec.payload));
    default:
      throw new PipelineError("unknown_window_fn", `window function ${spec?.urn ?? "(none)"} is not known`);
  }
}

function calendarSpecFrom(payload: Uint8Array | null | undefined): CalendarSpec {
  let spec: Partial<Record<keyof CalendarSpec, unknown>>;
  try {
    spec = Object(JSON.parse(new TextDecoder().decode(payload ?? new Uint8Array()))) as typeof spec;
  } catch (cause) {
    throw new PipelineError("malformed_window_fn", "the payload of calendar windows cannot be read", { cause });
  }
  const { unit, timeZone } = spec;
  if (!(unit === "day" || unit === "week" || unit === "month" || unit === "year") || typeof timeZone !== "string")
    throw new PipelineError("malformed_window_fn", "the payload of calendar windows lacks their unit or time zone");
  const { count, firstWeekday, firstDay, firstMonth } = spec;
  return {
    unit,
    timeZone,
    count: Number(count),
    firstWeekday: Number(firstWeekday),
    firstDay: Number(firstDay),
    firstMonth: Number(firstMonth),
  };
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
