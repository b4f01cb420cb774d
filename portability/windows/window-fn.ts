import type { Timestamp, Window } from "../values/index.js";

/** Of the windows of one key, those that become one. */
export interface WindowMerge<W extends Window = Window> {
  readonly windows: readonly W[];
  readonly into: W;
}

/** Assigns windows to elements by their timestamps. Equal timestamps of equal elements always get equal windows. */
export interface WindowFn<in T = unknown> {
  /** Beam's URN of the window function. */
  readonly urn: string;
  /** Whether windows of one key may merge (sessions). */
  readonly merging: boolean;
  /**
   * Windows of an element with this timestamp; none drops the element. The array may be shared: do not change it. Where only a window of a
   * side input is looked for, there is no element.
   */
  assign(timestamp: Timestamp, element?: T): readonly Window[];
  /**
   * Which of the windows of one key become one; what is not named stays as it is. The outcome must not depend on the order in which windows
   * come, nor on which of them have merged before.
   */
  merge?(windows: readonly Window[]): readonly WindowMerge[];
  /** What a timestamp combiner is given for an element of this timestamp in a window; the timestamp itself by default. */
  outputTime?(timestamp: Timestamp, window: Window): Timestamp;
}
