/**
 * An instant of event time: milliseconds since 1970-01-01T00:00:00Z, as a plain number.
 *
 * Beam's extreme instants lie beyond what a double holds exactly at microsecond scale, so they are the named constants
 * below; they are compared as numbers, and the instant coder maps each of them to its exact bytes (design D3).
 */
export type Timestamp = number;

/**
 * Beam's least event time, `BeamConstants.MIN_TIMESTAMP_MILLIS`: the timestamp of an impulse.
 *
 * @example
 * ```ts
 * events.apply(withTimestamps(({ at }) => Math.max(at, MIN_TIMESTAMP)));
 * ```
 */
export const MIN_TIMESTAMP: Timestamp = -9223372036854775;

/**
 * Beam's greatest event time, `BeamConstants.MAX_TIMESTAMP_MILLIS`: a watermark here means "no more input".
 *
 * @example
 * ```ts
 * events.apply(withTimestamps(({ at }) => Math.min(at, MAX_TIMESTAMP)));
 * ```
 */
export const MAX_TIMESTAMP: Timestamp = 9223372036854775;

/** The last instant of the global window: a day before {@link MAX_TIMESTAMP}. */
export const GLOBAL_WINDOW_MAX_TIMESTAMP: Timestamp = 9223371950454775;

/**
 * Renders an instant for people: ISO 8601 where a Date can hold it, a name for Beam's extremes.
 *
 * @example
 * ```ts
 * clicks.apply(reifyTimestamps()).apply(map(({ timestamp }) => formatTimestamp(timestamp)));
 * ```
 */
export function formatTimestamp(timestamp: Timestamp): string {
  if (timestamp <= MIN_TIMESTAMP) return "-inf";
  if (timestamp >= MAX_TIMESTAMP) return "+inf";
  if (timestamp === GLOBAL_WINDOW_MAX_TIMESTAMP) return "end of global window";
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? `${timestamp} ms` : date.toISOString();
}
