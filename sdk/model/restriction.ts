// Restrictions as authors of splittable ParDos write them: how much there is to do for an element, and how it is divided.
import type { Coder } from "../../portability/coders/index.js";

/** A restriction that was divided: both parts together are what it was, and have nothing in common. */
export interface Split<R> {
  /** What the tracker goes on with. */
  readonly primary: R;
  /** What somebody else does, or the same later. */
  readonly residual: R;
}

/** How much of a restriction is done and how much is left, in a unit of its own. */
export interface RestrictionProgress {
  readonly done: number;
  /** `Infinity` where nobody knows the end. */
  readonly left: number;
}

/**
 * Keeps account of what of a restriction is claimed while it is processed. `R` describes the work, as plain data; `P` is a position in it.
 *
 * The laws that a tracker keeps, whatever is claimed and whenever it is split:
 *
 * 1. Positions are claimed in ascending order, and only those of the restriction: `tryClaim` is true exactly for them.
 * 2. After `tryClaim` was false it stays false: the work is at its end.
 * 3. A split divides what is not claimed yet. Primary and residual together are the restriction as it was, and share no position; the
 *    primary holds everything that is claimed, and is the tracker's restriction from then on.
 * 4. `trySplit(0)` keeps nothing beyond what is claimed, so that the work ends with the next claim. It gives undefined only if there is nothing
 *    to hand back.
 * 5. `checkDone` throws exactly if something of the restriction was neither claimed nor given up as not there.
 *
 * @example
 * ```ts
 * class PageTracker implements RestrictionTracker<{ from: number; to: number }, number> {
 *   private next: number;
 *   readonly isBounded = true;
 *   constructor(public restriction: { from: number; to: number }) {
 *     this.next = restriction.from;
 *   }
 *   tryClaim(page: number): boolean {
 *     this.next = page + 1;
 *     return page < this.restriction.to;
 *   }
 *   trySplit(fraction: number) {
 *     const { from, to } = this.restriction;
 *     const at = this.next + Math.ceil((to - this.next) * fraction);
 *     if (at >= to) return undefined;
 *     return { primary: (this.restriction = { from, to: at }), residual: { from: at, to } };
 *   }
 *   progress() {
 *     return { done: this.next - this.restriction.from, left: this.restriction.to - this.next };
 *   }
 *   checkDone() {
 *     if (this.next < this.restriction.to) throw new Error(`page ${this.next} was left out`);
 *   }
 * }
 * ```
 */
export interface RestrictionTracker<R, P> {
  readonly restriction: R;
  /** Whether the position is this tracker's to process. */
  tryClaim(position: P): boolean;
  /**
   * Splits off a part of what is left, or undefined if that cannot be.
   *
   * @param fraction of what is left, from 0 up to 1, that the primary keeps
   */
  trySplit(fraction: number): Split<R> | undefined;
  progress(): RestrictionProgress;
  /** Called when the work has ended. @throws Error that says what was left out */
  checkDone(): void;
  /** Whether the work has an end. */
  readonly isBounded: boolean;
}

/** Follows how far the outputs of an element have come in event time. `State` is plain data. */
export interface WatermarkEstimator<State> {
  /** No output from here on is earlier; it never goes back. */
  current(): number;
  /** What an estimator of the rest of the work begins with. */
  state(): State;
  /** Told of the timestamp of each output. */
  observe?(timestamp: number): void;
}

/** How a splittable ParDo estimates its watermark: what `manualWatermark()` and its like make. */
export interface WatermarkEstimation<State, E extends WatermarkEstimator<State>> {
  /** Where the watermark of an element begins. @param timestamp the element's own */
  initial(timestamp: number): State;
  /** @param now processing time, in milliseconds */
  estimator(state: State, now: () => number): E;
  /** Default: any plain JavaScript value. */
  readonly stateCoder?: Coder<State>;
}
