import { NO_FIRING, type PaneInfo } from "./pane-info.js";
import { MIN_TIMESTAMP, type Timestamp } from "./timestamp.js";
import { GlobalWindow, type Window } from "./window.js";

/**
 * What travels beside a value: its timestamp, its windows and its pane.
 *
 * Immutable, and shared by every output that inherits it: a fused chain allocates none (design D4).
 *
 * @example
 * ```ts
 * const meta = new ElementMeta(0, GLOBAL_WINDOWS, NO_FIRING);
 * ```
 */
export class ElementMeta {
  constructor(
    readonly timestamp: Timestamp,
    readonly windows: readonly Window[],
    readonly pane: PaneInfo,
  ) {}
}

/** The windows of an element in the global window. */
export const GLOBAL_WINDOWS: readonly Window[] = Object.freeze([GlobalWindow.instance]);

/** What an impulse carries: minimum timestamp, global window, no firing. */
export const IMPULSE_META = new ElementMeta(MIN_TIMESTAMP, GLOBAL_WINDOWS, NO_FIRING);

/** A value and its meta in one object, where they must be kept together. */
export interface WindowedValue<T> {
  readonly value: T;
  readonly meta: ElementMeta;
}

/** The next hop of an element: called synchronously, once per element, with a meta it may share. */
export type Receiver = (value: unknown, meta: ElementMeta) => void;
