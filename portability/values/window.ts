import { GLOBAL_WINDOW_MAX_TIMESTAMP, type Timestamp } from "./timestamp.js";

/**
 * A finite or infinite set of event times that elements are grouped by. What every window has is the greatest
 * timestamp in it (inclusive): the runner orders and fires windows by it, also those it knows nothing else about.
 */
export interface Window {
  readonly maxTimestamp: Timestamp;
  /** For people. */
  toString(): string;
}

/**
 * The one window that holds all of event time.
 *
 * @example
 * ```ts
 * words.apply(map((word, { window }) => `${word} ${window === GlobalWindow.instance}`));
 * ```
 */
export class GlobalWindow implements Window {
  static readonly instance = new GlobalWindow();
  readonly maxTimestamp = GLOBAL_WINDOW_MAX_TIMESTAMP;
  private constructor() {}
  toString(): string {
    return "global";
  }
}

/**
 * The window `[start, end)` in milliseconds: what fixed, sliding and session window functions assign.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(minutes(1)))).apply(map((click, { window }) => (window instanceof IntervalWindow ? window.start : 0)));
 * ```
 */
export class IntervalWindow implements Window {
  constructor(
    /** First instant, inclusive. */
    readonly start: Timestamp,
    /** First instant behind the window. */
    readonly end: Timestamp,
  ) {}
  get maxTimestamp(): Timestamp {
    return this.end - 1;
  }
  toString(): string {
    return `[${this.start}, ${this.end})`;
  }
}

/**
 * A window of an unknown window function: its greatest timestamp and its own encoding.
 *
 * @example
 * ```ts
 * words.apply(map((word, { window }) => (window instanceof OpaqueWindow ? "foreign" : word)));
 * ```
 */
export class OpaqueWindow implements Window {
  constructor(
    readonly maxTimestamp: Timestamp,
    readonly encoded: Uint8Array,
  ) {}
  toString(): string {
    return `window ending at ${this.maxTimestamp}`;
  }
}
