/**
 * When a pane fired relative to the watermark; the numbers are those of the wire.
 *
 * @example
 * ```ts
 * words.apply(countPerElement()).apply(map(({ key }, { pane }) => `${key} ${pane.timing === PaneTiming.ON_TIME}`));
 * ```
 */
export const PaneTiming = { EARLY: 0, ON_TIME: 1, LATE: 2, UNKNOWN: 3 } as const;
export type PaneTiming = (typeof PaneTiming)[keyof typeof PaneTiming];

/** Where a firing stands among the firings of its key and window (Beam model, "pane info"). */
export interface PaneInfo {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly timing: PaneTiming;
  /** Count of earlier firings. */
  readonly index: number;
  /** Count of earlier firings that were not early; -1 while only early ones happened. */
  readonly nonSpeculativeIndex: number;
}

/** The pane of an element that no grouping has touched. */
export const NO_FIRING: PaneInfo = Object.freeze({
  isFirst: true,
  isLast: true,
  timing: PaneTiming.UNKNOWN,
  index: 0,
  nonSpeculativeIndex: 0,
});

/** The only pane of a window under the default trigger without late data. */
export const ON_TIME_AND_ONLY: PaneInfo = Object.freeze({
  isFirst: true,
  isLast: true,
  timing: PaneTiming.ON_TIME,
  index: 0,
  nonSpeculativeIndex: 0,
});
