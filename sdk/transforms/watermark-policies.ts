import type { Timestamp } from "../../portability/values/index.js";
import type { WatermarkPolicy } from "../model/source.js";

/**
 * Elements have the time at which they are read as their timestamp, whatever the source says; the watermark follows the clock. Nothing is
 * ever late.
 *
 * @example `const policy = ingestionTime();`
 */
export function ingestionTime(): WatermarkPolicy<unknown> {
  return { kind: "ingestion-time" };
}

/**
 * Elements keep the timestamps that the source gives them, or have the time at which they are read; the watermark is the clock. What the source
 * dates back is late at once.
 *
 * @example `const policy = processingTime();`
 */
export function processingTime(): WatermarkPolicy<unknown> {
  return { kind: "processing-time" };
}

/**
 * Elements say their own time; the watermark stays `maxDelayMs` behind the greatest seen so far, in each task by itself, and does not move
 * while nothing comes: see `idleAfterMs`. An element from a clock that is ahead makes all others late.
 *
 * @param timestampOf event time of an element, in milliseconds; a fraction is cut. It sees every element, before any filter can: for one that has
 * none it may give `MIN_TIMESTAMP`, which moves nothing.
 * @param options `maxDelayMs`: how much out of order elements may be without being late; default 0
 * @throws (at run time) UserCodeError when `timestampOf` throws, or gives no number that is a timestamp
 * @example `const policy = eventTime((order: { at: number }) => order.at, { maxDelayMs: seconds(5) });`
 */
export function eventTime<T>(
  timestampOf: (element: T) => Timestamp,
  { maxDelayMs = 0 }: { readonly maxDelayMs?: number } = {},
): WatermarkPolicy<T> {
  if (!(maxDelayMs >= 0 && maxDelayMs < Infinity)) throw new RangeError(`maxDelayMs must be 0 or more, not ${maxDelayMs}`);
  return { kind: "event-time", timestampOf, maxDelayMs };
}
