import { COMPOSITE } from "../../portability/urns/index.js";
import { kv, type KV, type Timestamp } from "../../portability/values/index.js";
import type { ElementContext } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { WindowingStrategy } from "../model/windowing.js";
import { groupByKey } from "./group-by-key.js";
import { elementwise, output, parDo } from "./par-do.js";
import { afterEachElement } from "./triggers.js";

/**
 * Spreads elements evenly over all workers and keeps what is behind it apart from what is before it
 * (`beam:transform:reshuffle:v1`). Timestamps and windows stay.
 *
 * A runner that knows the URN shuffles; for any other it is a grouping by an arbitrary key.
 *
 * @example
 * ```ts
 * urls.apply(reshuffle()).apply(map((url) => new URL(url).host));
 * ```
 */
export function reshuffle<T>(name?: string): PTransform<PCollection<T>, PCollection<T>> {
  return {
    name,
    defaultName: "reshuffle",
    expand(input) {
      input.graph.setKnown({ urn: COMPOSITE.RESHUFFLE });
      let next = 0;
      const spread = (value: T, { timestamp }: ElementContext): KV<number, [T, Timestamp]> => kv(next++ % 1024, [value, timestamp]);
      // Nothing waits for others of its key, also where the input never ends.
      const windowing: WindowingStrategy = { ...input.windowing, trigger: afterEachElement(), panes: "discarding", emptyOnTimePane: false };
      return input
        .apply(
          elementwise<T, KV<number, [T, Timestamp]>>(
            "spread",
            "spread",
            { kind: "map", fn: spread, concurrency: 16 },
            undefined,
            windowing,
          ),
        )
        .apply(groupByKey("group"))
        .apply(
          parDo("restore", {
            outputs: output<T>(),
            process({ value: group }, { emit }) {
              for (const [value, timestamp] of group) emit(value, timestamp);
            },
          }),
        )
        .apply(
          elementwise(
            "as before",
            "as before",
            { kind: "map", fn: (value: T) => value, concurrency: 1 },
            () => input.coder,
            input.windowing,
          ),
        );
    },
  };
}
