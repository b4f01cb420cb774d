// Exact instants. Beam's extremes are odd numbers beyond 2^53, which a double cannot hold: the named constants are their
// neighbours, and here is where each of them is one exact integer (design D3).
import { GLOBAL_WINDOW_MAX_TIMESTAMP, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../values/index.js";
import { CoderError } from "./coder-error.js";

const MIN = -9223372036854775n;
const MAX = 9223372036854775n;
const GLOBAL_MAX = 9223371950454775n;

/**
 * The exact milliseconds of an instant. Fractions are cut; one beyond Beam's range is taken as its end.
 * @throws CoderError for NaN
 * @internal
 */
export function exactMillis(timestamp: Timestamp): bigint {
  if (Number.isSafeInteger(timestamp)) return BigInt(timestamp);
  if (timestamp <= MIN_TIMESTAMP) return MIN;
  if (timestamp >= MAX_TIMESTAMP) return MAX;
  if (timestamp === GLOBAL_WINDOW_MAX_TIMESTAMP) return GLOBAL_MAX;
  if (typeof timestamp !== "number" || Number.isNaN(timestamp)) throw new CoderError(`${String(timestamp)} is not a timestamp`);
  return BigInt(Math.trunc(timestamp));
}

/** The instant of exact milliseconds: beyond 2^53 the nearest number, and Beam's extremes as their constants. @internal */
export function timestampOf(exact: bigint): Timestamp {
  if (exact === MIN) return MIN_TIMESTAMP;
  if (exact === MAX) return MAX_TIMESTAMP;
  if (exact === GLOBAL_MAX) return GLOBAL_WINDOW_MAX_TIMESTAMP;
  return Number(exact);
}
