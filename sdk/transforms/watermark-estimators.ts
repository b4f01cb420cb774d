import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { WatermarkEstimation, WatermarkEstimator } from "../model/restriction.js";

/** A watermark that the function itself moves. */
export interface ManualWatermark extends WatermarkEstimator<Timestamp> {
  /** No output from here on is earlier. An instant before the current one changes nothing. */
  set(timestamp: Timestamp): void;
}

/**
 * The watermark of a splittable ParDo whose function says by itself how far it has come.
 *
 * @example
 * ```ts
 * const read = splittableParDo({
 *   outputs: output<string>(),
 *   restriction: () => offsetRange(0, 3),
 *   watermark: manualWatermark(),
 *   process(_, { range, watermark, emit }) {
 *     for (let hour = range.start; range.tryClaim(hour); hour++) {
 *       emit(`hour ${hour}`, hours(hour));
 *       watermark.set(hours(hour + 1));
 *     }
 *   },
 * });
 * numbers.apply(read);
 * ```
 */
export function manualWatermark(): WatermarkEstimation<Timestamp, ManualWatermark> {
  return {
    initial: (timestamp) => timestamp,
    estimator(state) {
      let current = state;
      const get = (): Timestamp => current;
      return {
        current: get,
        state: get,
        set(timestamp) {
          if (Number.isNaN(timestamp)) throw new RangeError(`a watermark must be an instant in milliseconds, not ${timestamp}`);
          current = Math.max(current, bounded(timestamp));
        },
      };
    },
  };
}

/**
 * The watermark of a splittable ParDo whose outputs come in the order of their timestamps: that of the latest one.
 *
 * @example `const estimation = monotonicWatermark();`
 */
export function monotonicWatermark(): WatermarkEstimation<Timestamp, WatermarkEstimator<Timestamp>> {
  return {
    initial: (timestamp) => timestamp,
    estimator(state) {
      let current = state;
      const get = (): Timestamp => current;
      return {
        current: get,
        state: get,
        observe(timestamp) {
          if (timestamp > current) current = timestamp;
        },
      };
    },
  };
}

/**
 * The watermark of a splittable ParDo whose outputs are dated when they are read: the clock.
 *
 * @example `const estimation = wallTimeWatermark();`
 */
export function wallTimeWatermark(): WatermarkEstimation<Timestamp, WatermarkEstimator<Timestamp>> {
  return {
    initial: (timestamp) => timestamp,
    estimator(state, now) {
      let latest = state; // the clock may be set back
      const get = (): Timestamp => (latest = Math.max(latest, bounded(now())));
      return { current: get, state: get };
    },
  };
}

function bounded(timestamp: number): Timestamp {
  return Math.min(MAX_TIMESTAMP, Math.max(MIN_TIMESTAMP, Math.floor(timestamp)));
}
