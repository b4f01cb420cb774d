import type { RestrictionProgress, RestrictionTracker, Split } from "../model/restriction.js";

/** Whole numbers from `start` up to, and without, `end`. */
export interface OffsetRange {
  readonly start: number;
  /** `Infinity` for a range without an end. */
  readonly end: number;
}

/**
 * A restriction of whole numbers, such as positions in a file, from `start` up to, and without, `end`; without an end if none is given.
 *
 * @throws RangeError when the numbers are not whole, or the end is before the start
 * @example
 * ```ts
 * const upTo = splittableParDo({
 *   restriction: (n: number) => offsetRange(0, n),
 *   *process(_, { range }) {
 *     for (let i = range.start; range.tryClaim(i); i++) yield i;
 *   },
 * });
 * numbers.apply(upTo);
 * ```
 */
export function offsetRange(start: number, end = Infinity): OffsetRange {
  if (!Number.isSafeInteger(start)) throw new RangeError(`a range must start at a whole number, not ${start}`);
  if (!(end >= start && (Number.isSafeInteger(end) || end === Infinity)))
    throw new RangeError(`a range from ${start} must end at a whole number of at least that, or at Infinity, not ${end}`);
  return { start, end };
}

/**
 * The tracker of an {@link offsetRange}. What is not there, because a file is shorter than was thought, or because positions are the beginnings of
 * records, is given up by claiming the end: `tryClaim(range.end)`.
 *
 * @param estimateEnd of a range without an end, where it would end now: so much of it can be split. It is asked when that is to be known.
 * @example
 * ```ts
 * const latest = (): number => 1000; // what a log has so far
 * const growing = splittableParDo({
 *   restriction: () => offsetRange(0),
 *   tracker: (range) => offsetRangeTracker(range, latest),
 *   unbounded: true,
 *   *process(_, { range, resume }) {
 *     let offset = range.start;
 *     for (; offset < latest(); offset++) {
 *       if (!range.tryClaim(offset)) return;
 *       yield offset;
 *     }
 *     resume(seconds(1));
 *   },
 * });
 * ```
 */
export function offsetRangeTracker(range: OffsetRange, estimateEnd?: () => number): RestrictionTracker<OffsetRange, number> {
  return new OffsetRangeTracker(range, estimateEnd);
}

class OffsetRangeTracker implements RestrictionTracker<OffsetRange, number> {
  /** The first position that is neither claimed nor given up. */
  private next: number;

  constructor(
    public restriction: OffsetRange,
    private readonly estimateEnd: (() => number) | undefined,
  ) {
    this.next = restriction.start;
  }

  get isBounded(): boolean {
    return this.restriction.end < Infinity;
  }

  tryClaim(position: number): boolean {
    const { next, restriction } = this;
    const { end } = restriction;
    if (!(position >= Math.min(next, end) && (Number.isSafeInteger(position) || position === Infinity)))
      throw new RangeError(`positions are whole numbers, claimed in ascending order: ${position} came where ${next} is next`);
    if (position >= end) {
      this.next = end;
      return false;
    }
    this.next = position + 1;
    return true;
  }

  trySplit(fraction: number): Split<OffsetRange> | undefined {
    const { next, restriction } = this;
    const { start, end } = restriction;
    const known = this.knownEnd();
    if (known === Infinity && fraction > 0) return undefined;
    const at = fraction === 0 ? next : next + Math.ceil((known - next) * fraction);
    if (at >= end) return undefined;
    this.restriction = { start, end: at };
    return { primary: this.restriction, residual: { start: at, end } };
  }

  progress(): RestrictionProgress {
    return { done: this.next - this.restriction.start, left: this.knownEnd() - this.next };
  }

  checkDone(): void {
    const { next } = this;
    const { end } = this.restriction;
    if (next < end)
      throw new Error(
        `positions from ${next} up to ${end} were not claimed: go on to the end, give up what is not there by tryClaim(range.end), ` +
          `or go on later by resume()`,
      );
  }

  private knownEnd(): number {
    const { end } = this.restriction;
    if (end < Infinity || this.estimateEnd === undefined) return end;
    return Math.max(this.next, Math.floor(this.estimateEnd()));
  }
}
