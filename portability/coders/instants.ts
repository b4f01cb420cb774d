// Beam's extreme instants are odd numbers beyond 2^53, which a double cannot hold: the constants are their neighbours, and
// here is where each of them is one exact integer (design D3).
import { GLOBAL_WINDOW_MAX_TIMESTAMP, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../values/index.js";

const EXACT: readonly (readonly [Timestamp, bigint])[] = [
  [MIN_TIMESTAMP, -9223372036854775n],
  [MAX_TIMESTAMP, 9223372036854775n],
  [GLOBAL_WINDOW_MAX_TIMESTAMP, 9223371950454775n],
];

/** The exact milliseconds of an instant; one beyond Beam's range is taken as its end. */
export function exactMillis(timestamp: Timestamp): bigint {
  if (Number.isSafeInteger(timestamp)) return BigInt(timestamp);
  for (const [constant, exact] of EXACT) if (timestamp === constant) return exact;
  if (timestamp < MIN_TIMESTAMP) return -9223372036854775n;
  if (timestamp > MAX_TIMESTAMP) return 9223372036854775n;
  return BigInt(Math.trunc(timestamp));
}

/** The instant of exact milliseconds. */
export function timestampOf(exact: bigint): Timestamp {
  for (const [constant, value] of EXACT) if (exact === value) return constant;
  return Number(exact);
}
