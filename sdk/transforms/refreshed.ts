import type { Timestamp } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { map } from "./elementwise.js";
import { periodicImpulse } from "./periodic-impulse.js";
import { afterEachElement } from "./triggers.js";
import { global, windowInto } from "./window-into.js";

/** What {@link refreshed} takes. */
export interface RefreshOptions<T> {
  readonly name?: string;
  /** Milliseconds from one load to the next. */
  readonly everyMs: number;
  /** Loads what is current at a tick, an instant in milliseconds since 1970. Loads do not overlap. */
  readonly load: (tick: Timestamp) => T | Promise<T>;
  /** The tick of the first load; default: when the run starts. */
  readonly from?: Timestamp;
  /** The instant to end before; default: it never ends, and so the run ends when it is drained. */
  readonly to?: Timestamp;
}

/**
 * What `load` gives, now and again and again: for a side input that changes slowly, such as a table of rates. Read by `asSingleton` it is what was
 * loaded last; elements wait for the first load alone. With several workers each has its own copy, and may see a new one a little earlier
 * or later than others.
 *
 * Many values at a time are one element here, such as a Map. Elements that were processed before a load are not processed again.
 *
 * @throws RangeError when an option is out of its range; (at run time) UserCodeError when `load` fails as often as a bundle is tried
 * @example
 * ```ts
 * const rates = p.apply(refreshed({ everyMs: minutes(5), to: Date.now() + 1000, load: () => new Map([["EUR", 1.1]]) }));
 * orders.apply(map(({ amount }, { rates: current }) => amount * current.get("EUR")!, { with: { rates: asSingleton(rates) } }));
 * ```
 */
export function refreshed<T>({ name, everyMs, load, from, to }: RefreshOptions<T>): PTransform<Pipeline, PCollection<T>> {
  return {
    name,
    defaultName: "refreshed",
    expand: (p) =>
      p
        .apply(periodicImpulse({ everyMs, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }))
        .apply(map("load", (tick: Timestamp) => load(tick), { concurrency: 1 }))
        .apply(windowInto("latest", global(), { trigger: afterEachElement() })),
  };
}
