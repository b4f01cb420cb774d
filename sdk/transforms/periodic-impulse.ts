import type { Timestamp } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import type { Reader, ReaderContext } from "../model/source.js";
import { Schedule } from "./schedule.js";
import { unboundedSource } from "./unbounded-source.js";

/** What {@link periodicImpulse} takes. */
export interface PeriodicImpulseOptions {
  readonly name?: string;
  /** Milliseconds from one tick to the next. */
  readonly everyMs: number;
  /** The first tick; default: when the run starts. */
  readonly from?: Timestamp;
  /** The instant to end before; default: it never ends. */
  readonly to?: Timestamp;
}

/**
 * An element at each tick: the tick itself, in milliseconds since 1970, which is also its timestamp. Ticks that are over, because `from` is in the past or
 * the pipeline was busy, come at once; none is left out. The watermark is the next tick.
 *
 * @throws RangeError when an option is out of its range
 * @example
 * ```ts
 * p.apply(periodicImpulse({ everyMs: minutes(1), from: 0, to: minutes(3) })).apply(map((tick) => formatTimestamp(tick)));
 * ```
 */
export function periodicImpulse(options: PeriodicImpulseOptions): PTransform<Pipeline, PCollection<Timestamp>> {
  const { name, everyMs, from, to = Infinity } = options;
  if (!(everyMs > 0 && everyMs < Infinity)) throw new RangeError(`everyMs must be above 0, not ${everyMs}`);
  if (from !== undefined && !Number.isSafeInteger(from)) throw new RangeError(`from must be a whole number of milliseconds, not ${from}`);
  if (!(to >= (from ?? -Infinity))) throw new RangeError(`to must be an instant behind from, not ${to}`);
  const open = (context: ReaderContext): Reader<Timestamp> => {
    const before = context.position as { readonly origin?: number } | undefined; // a schedule's
    const origin = from ?? before?.origin ?? context.now();
    const total = to === Infinity ? Infinity : Math.max(0, Math.ceil((to - origin) / everyMs));
    return new Schedule(context, { everyMs, origin, total, catchUpMs: Infinity, elementOf: (_, due) => Math.floor(due) });
  };
  return { ...unboundedSource<Timestamp>({ name, ends: to < Infinity, open }), defaultName: "periodicImpulse" };
}
