// What a watermark policy comes to in one task: the timestamp of each element, and the watermark behind them.
import { GLOBAL_WINDOW_MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { Reader, WatermarkPolicy } from "../model/source.js";

export interface WatermarkTracker {
  readonly followsClock: boolean;
  /** @param given what the source says of it */
  timestampOf(element: unknown, given: Timestamp | undefined): Timestamp;
  watermark(): Timestamp;
}

type Now = () => number;

export function trackerOf(policy: WatermarkPolicy<unknown> | undefined, reader: Reader<unknown>, now: Now): WatermarkTracker {
  const steady = steadyClock(now);
  switch (policy?.kind) {
    case undefined:
      return reader.watermark === undefined ? ingestionTime(steady) : ofReader(reader, steady);
    case "ingestion-time":
      return ingestionTime(steady);
    case "processing-time":
      return { followsClock: true, timestampOf: (_, given) => (given === undefined ? steady() : checked(given)), watermark: steady };
    case "event-time":
      return eventTime(policy);
  }
}

/** The system's time may be set back; a watermark that has passed an instant cannot. */
function steadyClock(now: Now): Now {
  let latest = MIN_TIMESTAMP;
  return () => (latest = Math.max(latest, Math.floor(now())));
}

function ingestionTime(now: Now): WatermarkTracker {
  return { followsClock: true, timestampOf: now, watermark: now };
}

/** It may know more with time as well. */
function ofReader(reader: Reader<unknown>, now: Now): WatermarkTracker {
  return {
    followsClock: true,
    timestampOf: (_, given) => (given === undefined ? now() : checked(given)),
    watermark: () => reader.watermark!(),
  };
}

function eventTime({ timestampOf, maxDelayMs }: Extract<WatermarkPolicy<unknown>, { kind: "event-time" }>): WatermarkTracker {
  let greatest = MIN_TIMESTAMP;
  return {
    followsClock: false,
    timestampOf(element) {
      const timestamp = checked(timestampOf(element));
      if (timestamp > greatest) greatest = timestamp;
      return timestamp;
    },
    watermark: () => Math.max(MIN_TIMESTAMP, Math.floor(greatest - maxDelayMs)),
  };
}

/** The whole millisecond that an author's timestamp lies in. */
function checked(timestamp: Timestamp): Timestamp {
  if (typeof timestamp === "number" && timestamp >= MIN_TIMESTAMP && timestamp <= GLOBAL_WINDOW_MAX_TIMESTAMP) return Math.floor(timestamp);
  const range = `from ${MIN_TIMESTAMP} to ${GLOBAL_WINDOW_MAX_TIMESTAMP}`;
  throw new RangeError(`a timestamp must be a number of milliseconds, ${range}, not ${String(timestamp)}`);
}
