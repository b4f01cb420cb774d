import { ByteWriter, kvCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV, type Timestamp } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { RestrictionProgress, RestrictionTracker, Split } from "../model/restriction.js";
import { anyValue } from "./element-coder.js";
import { output } from "./par-do.js";
import { splittableParDo } from "./splittable-par-do.js";
import { manualWatermark } from "./watermark-estimators.js";

/** How often something is looked at, and until when. It ends with the first of the two limits that is reached; without them, never. */
export interface WatchTimes {
  /** Milliseconds of processing time between two looks. */
  readonly everyMs: number;
  /** Ends so many milliseconds after the first look; there is a last one then. */
  readonly stopAfterMs?: number;
  /** Ends when nothing new has come for so many milliseconds. */
  readonly stopAfterQuietMs?: number;
}

/** What a look has found, where there is more to say of it than what is there. */
export interface PollResult<O> {
  readonly outputs: Iterable<O>;
  /** No output that is still to come is earlier; default: see {@link watch}. */
  readonly watermark?: Timestamp;
  /** Whether nothing will ever be added: the element is done. */
  readonly isComplete?: boolean;
}

/** What {@link watch} takes. */
export interface WatchOptions<T, O> extends WatchTimes {
  /** What is there now, known or new. */
  readonly poll: (element: T) => Iterable<O> | PollResult<O> | Promise<Iterable<O> | PollResult<O>>;
  /** What tells one output from another: any plain value; default: all of it. */
  readonly keyOf?: (output: O) => unknown;
  /** Event time of an output, in milliseconds; default: when it was found. */
  readonly timestampOf?: (output: O) => Timestamp;
  /** Default: any plain JavaScript value. */
  readonly coder?: Coder<O>;
}

/**
 * For each element, looks at a set that grows, again and again, and puts out what is new in it: each output once, with its element as key.
 *
 * The watermark is the time of the last look where outputs are dated when they are found. Where `timestampOf` dates them it is what `poll` says,
 * or else it waits at the element's timestamp until that is done. Keys of all that was found are kept as long as the element is watched.
 *
 * @throws RangeError when a time is out of its range
 * @example
 * ```ts
 * const versions = ["1.0", "1.1"];
 * const released = watch({ poll: (_product: string) => versions, everyMs: 10, stopAfterQuietMs: 20 });
 * p.apply(create(["beam"])).apply(released).apply(map(({ key, value }) => console.log(`${key} ${value}`)));
 * ```
 */
export function watch<T, O>(options: WatchOptions<T, O>): PTransform<PCollection<T>, PCollection<KV<T, O>>> {
  checkTimes(options);
  const { poll, keyOf = (found) => found, timestampOf, everyMs } = options;
  const ends = options.stopAfterMs !== undefined || options.stopAfterQuietMs !== undefined;
  return {
    defaultName: "watch",
    expand: (input) =>
      input.apply(
        splittableParDo("look", {
          outputs: output<KV<T, O>>(kvCoder(input.coder, (options.coder as Coder<unknown> | undefined) ?? anyValue) as Coder<KV<T, O>>),
          restriction: (): Growth => UNSEEN,
          tracker: (growth) => new GrowthTracker(growth),
          watermark: manualWatermark(),
          unbounded: !ends,
          async process(element, { range, timestamp, watermark, now, emit, resume }) {
            const found = foundOf(await poll(element));
            const at = Math.max(now(), timestamp);
            const fresh = new Map<string, O>();
            const { seen } = range.restriction;
            for (const each of found.outputs) {
              const key = textOf(keyOf(each));
              if (!seen.has(key) && !fresh.has(key)) fresh.set(key, each);
            }
            const grown = grownBy(range.restriction, fresh, at);
            const leftMs = found.isComplete === true ? 0 : timeLeft(grown, options, at);
            if (!range.tryClaim({ ...grown, isOver: leftMs <= 0 })) return;
            for (const each of fresh.values()) emit(kv(element, each), timestampOf === undefined ? at : timestampOf(each));
            if (found.watermark !== undefined) watermark.set(found.watermark);
            else if (timestampOf === undefined) watermark.set(at);
            if (leftMs > 0) resume(Math.min(everyMs, leftMs));
          },
        }),
      ),
  };
}

/** @throws RangeError */
export function checkTimes({ everyMs, stopAfterMs, stopAfterQuietMs }: WatchTimes): void {
  if (!(everyMs > 0 && everyMs < Infinity)) throw new RangeError(`everyMs must be above 0, not ${everyMs}`);
  for (const [name, value] of Object.entries({ stopAfterMs, stopAfterQuietMs }))
    if (value !== undefined && !(value >= 0)) throw new RangeError(`${name} must be 0 or more, not ${value}`);
}

/** What is known of a set that grows: the restriction is all that it may come to hold besides. */
interface Growth {
  readonly seen: ReadonlySet<string>;
  /** Times of the first look, and of the last one that found something new. */
  readonly times: { readonly first: number; readonly newest: number } | undefined;
  readonly isOver: boolean;
}

const UNSEEN: Growth = { seen: new Set(), times: undefined, isOver: false };

function grownBy({ seen, times, isOver }: Growth, fresh: ReadonlyMap<string, unknown>, at: number): Growth {
  const newest = fresh.size > 0 || times === undefined ? at : times.newest;
  return { seen: fresh.size === 0 ? seen : new Set([...seen, ...fresh.keys()]), times: { first: times?.first ?? at, newest }, isOver };
}

/** How long the set is to be watched from `at` on. */
function timeLeft({ times }: Growth, { stopAfterMs = Infinity, stopAfterQuietMs = Infinity }: WatchTimes, at: number): number {
  const { first, newest } = times!;
  return Math.min(first + stopAfterMs, newest + stopAfterQuietMs) - at;
}

/** One look is claimed at most; what is known after it is what the rest begins with. */
class GrowthTracker implements RestrictionTracker<Growth, Growth> {
  readonly isBounded = false;
  private after: Growth | undefined;

  constructor(public restriction: Growth) {}

  tryClaim(after: Growth): boolean {
    if (this.restriction.isOver || this.after !== undefined) return false;
    this.after = after;
    return true;
  }

  trySplit(fraction: number): Split<Growth> | undefined {
    if (fraction > 0) return undefined; // a look is whole
    const residual = this.after ?? this.restriction;
    if (this.restriction.isOver || residual.isOver) return undefined;
    this.restriction = { ...this.restriction, isOver: true };
    return { primary: this.restriction, residual };
  }

  progress(): RestrictionProgress {
    return { done: this.after === undefined ? 0 : 1, left: this.restriction.isOver || this.after !== undefined ? 0 : 1 };
  }

  checkDone(): void {
    if (!this.restriction.isOver && this.after?.isOver !== true) throw new Error("the set was not looked at to its end");
  }
}

function foundOf<O>(found: Iterable<O> | PollResult<O>): PollResult<O> {
  return Symbol.iterator in found ? { outputs: found } : found;
}

/** Equal values have equal texts. */
function textOf(key: unknown): string {
  const writer = new ByteWriter();
  anyValue.encode(key, writer, false);
  return Buffer.from(writer.view()).toString("latin1");
}
