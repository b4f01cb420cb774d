import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { OperatorScope } from "./operator.js";

/** A timestamp that user code gave, as the whole millisecond it lies in. @throws UserCodeError when it is none that Beam has */
export function checkedTimestamp(timestamp: number, element: unknown, scope: OperatorScope): Timestamp {
  if (typeof timestamp === "number" && timestamp >= MIN_TIMESTAMP && timestamp <= MAX_TIMESTAMP) return Math.floor(timestamp);
  const range = `from ${MIN_TIMESTAMP} to ${MAX_TIMESTAMP}`;
  throw scope.userError(
    "failed",
    new RangeError(`a timestamp must be a number of milliseconds ${range}, not ${String(timestamp)}`),
    element,
  );
}
