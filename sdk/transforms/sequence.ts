import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import type { Reader, ReaderContext } from "../model/source.js";
import { Schedule } from "./schedule.js";
import { unboundedSource } from "./unbounded-source.js";

/** What {@link sequence} takes. */
export interface SequenceOptions {
  readonly name?: string;
  /** First number; default 0. */
  readonly from?: number;
  /** The number to end before; default: it never ends. */
  readonly to?: number;
  /** How many numbers come in a second, of all tasks together; default: as many as the pipeline takes. */
  readonly perSecond?: number;
  /**
   * Event time of a number, in milliseconds; must not go down as numbers go up. Default: the time at which the number is due, or read where there is
   * no rate.
   */
  readonly timestampOf?: (n: number) => number;
  /** Most tasks that share it; default: as many as there are workers. */
  readonly parallelism?: number;
  /**
   * Milliseconds of a standstill that are made up for, as fast as the pipeline takes it; what would have come before is put off. Default one
   * minute.
   */
  readonly catchUpMs?: number;
}

/**
 * Whole numbers one after the other, at a rate that is kept exactly: the n-th is due n / `perSecond` seconds after the first, whatever was late
 * before it. The watermark is the timestamp of the next one.
 *
 * @throws RangeError when an option is out of its range
 * @example
 * ```ts
 * p.apply(sequence({ to: 5, perSecond: 100 })).apply(map((n) => console.log(n)));
 * ```
 */
export function sequence(options: SequenceOptions = {}): PTransform<Pipeline, PCollection<number>> {
  const { name, from = 0, to = Infinity, perSecond, timestampOf, parallelism = Number.MAX_SAFE_INTEGER, catchUpMs = 60_000 } = options;
  if (!Number.isSafeInteger(from)) throw new RangeError(`from must be a whole number, not ${from}`);
  if (!(to >= from && (Number.isSafeInteger(to) || to === Infinity)))
    throw new RangeError(`to must be a whole number of at least ${from}, not ${to}`);
  if (perSecond !== undefined && !(perSecond > 0 && perSecond < Infinity))
    throw new RangeError(`perSecond must be above 0, not ${perSecond}`);
  if (!(catchUpMs >= 0)) throw new RangeError(`catchUpMs must be 0 or more, not ${catchUpMs}`);
  const everyMs = perSecond === undefined ? 0 : 1000 / perSecond;
  const open = (context: ReaderContext): Reader<number> =>
    new Schedule(context, {
      everyMs,
      total: to - from,
      catchUpMs,
      elementOf: (k) => from + k,
      timestampOf: timestampOf === undefined ? undefined : (k) => timestampOf(from + k),
    });
  return { ...unboundedSource<number>({ name, parallelism, ends: to < Infinity, open }), defaultName: "sequence" };
}
