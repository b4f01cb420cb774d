import type { MergeAccumulators } from "../../portability/stage-host/index.js";
import { enter, leave, NO_STEP } from "../metrics/step-metrics.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import { isThenable } from "./ordered-calls.js";
import { isShareable } from "./shareable.js";

/**
 * Merges accumulators outside of any bundle, as far as that makes no difference (stage-host, H12).
 *
 * - M1. Only what nobody can change is merged, into what nobody can change: the function may change its arguments, and a bundle that fails needs them
 *   as they were.
 * - M2. What it throws is kept to itself: the function is asked again, within a bundle. One that has given a promise is asked there alone from then
 *   on.
 * - M3. A metric that it uses makes it throw: what is counted belongs to a bundle.
 */
export function mergeEarly(fn: AsyncCombineFn<unknown, unknown, unknown>): MergeAccumulators {
  let goesOnLater = false;
  return (left, right) => {
    if (goesOnLater || !isShareable(left) || !isShareable(right)) return undefined; // M1
    const before = enter(NO_STEP); // M3
    try {
      const merged = fn.mergeAccumulators(left, right);
      if (isShareable(merged)) return merged;
      if (isThenable(merged)) {
        goesOnLater = true;
        merged.then(undefined, () => {}); // M2
      }
    } catch {
      // M2
    } finally {
      leave(before);
    }
    return undefined;
  };
}
