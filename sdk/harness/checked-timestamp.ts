import { formatTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { OperatorScope } from "./operator.js";

/**
 * A timestamp that user code gave, as the whole millisecond it lies in.
 *
 * @param from the timestamp that the element had: it may be moved forwards freely, and back by what the transform allows
 * @throws UserCodeError when it is none that Beam has, or is moved back too far
 */
export function checkedTimestamp(timestamp: number, from: Timestamp, element: unknown, scope: OperatorScope): Timestamp {
  if (!(typeof timestamp === "number" && timestamp >= MIN_TIMESTAMP && timestamp <= MAX_TIMESTAMP)) {
    const range = `from ${MIN_TIMESTAMP} to ${MAX_TIMESTAMP}`;
    throw scope.userError(
      "failed",
      new RangeError(`a timestamp must be a number of milliseconds ${range}, not ${String(timestamp)}`),
      element,
    );
  }
  const whole = Math.floor(timestamp);
  if (whole < from - scope.allowedSkewMs)
    throw scope.userError(
      "failed",
      new RangeError(
        `the timestamp would go back from ${formatTimestamp(from)} to ${formatTimestamp(whole)}, where ${scope.allowedSkewMs} ms are allowed: ` +
          "behind the watermark such an element may be late; say allowedSkewMs where that is wanted",
      ),
      element,
    );
  return whole;
}
