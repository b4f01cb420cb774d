import {
  DEFAULT_TRIGGER,
  FixedWindows,
  globalWindows,
  Sessions,
  SlidingWindows,
  type Trigger,
  type WindowFn,
} from "../../portability/windows/index.js";
import { OwnWindowFn, type WindowFnSpec } from "../model/own-window-fn.js";
import type { IntervalWindow, Window } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { TimestampCombiner, WindowingStrategy } from "../model/windowing.js";

/** How `windowInto` windows its output beyond the window function. */
export interface WindowOptions {
  /** Timestamp of grouped results; default the end of their window. */
  readonly timestampCombiner?: TimestampCombiner;
  /** How long behind the watermark elements are still taken, in milliseconds; default 0. */
  readonly allowedLatenessMs?: number;
  /** When panes are emitted; default: at the end of the window, and for each late element. */
  readonly trigger?: Trigger;
  /** Whether a pane holds only what is new, or all that its window has had so far. Default "discarding". */
  readonly panes?: "discarding" | "accumulating";
  /** Whether the pane at the end of a window is emitted when nothing is new, where early panes were. Default true, as in Beam. */
  readonly emptyOnTimePane?: boolean;
  /** Whether a window emits a last pane when it expires even if nothing is new. Default false. */
  readonly emptyFinalPane?: boolean;
  /** Takes a trigger that finishes, so that what comes later is lost. */
  readonly unsafeTrigger?: boolean;
}

/**
 * Puts every element into the windows that `windowFn` gives its timestamp (`beam:transform:window_into:v1`).
 *
 * @example `clicks.apply(withTimestamps((c) => c.at)).apply(windowInto(fixed(minutes(1))))`
 */
export function windowInto<T>(windowFn: WindowFn<NoInfer<T>>, options?: WindowOptions): PTransform<PCollection<T>, PCollection<T>>;
export function windowInto<T>(
  name: string,
  windowFn: WindowFn<NoInfer<T>>,
  options?: WindowOptions,
): PTransform<PCollection<T>, PCollection<T>>;
export function windowInto<T>(
  ...args: [string, WindowFn<NoInfer<T>>, WindowOptions?] | [WindowFn<NoInfer<T>>, WindowOptions?]
): PTransform<PCollection<T>, PCollection<T>> {
  const [name, windowFn, options] =
    typeof args[0] === "string"
      ? [args[0], args[1] as WindowFn<NoInfer<T>>, args[2]]
      : [undefined, args[0], args[1] as WindowOptions | undefined];
  const windowing: WindowingStrategy = {
    windowFn,
    timestampCombiner: options?.timestampCombiner ?? "end-of-window",
    allowedLatenessMs: options?.allowedLatenessMs ?? 0,
    trigger: options?.trigger ?? DEFAULT_TRIGGER,
    panes: options?.panes ?? "discarding",
    emptyOnTimePane: options?.emptyOnTimePane ?? true,
    emptyFinalPane: options?.emptyFinalPane ?? false,
    ...(options?.unsafeTrigger === true ? { unsafe: true } : {}),
  };
  return {
    name,
    defaultName: "windowInto",
    expand(input) {
      input.graph.setPrimitive({ kind: "window-into", windowing });
      return input.graph.output<T>(input.coder, windowing);
    },
  };
}

/**
 * Windows of the author's own, merging or not, of a type of their own where a coder is given. Two windows are the same if they are of one
 * class and have the same text (`toString()`).
 *
 * @example
 * ```ts
 * const byCountry = windowFn({
 *   name: "longer in France",
 *   assign: (at, order: Order) => [new IntervalWindow(at - (at % 60_000), at - (at % 60_000) + (order.country === "FR" ? 120_000 : 60_000))],
 * });
 * orders.apply(windowInto(byCountry)).apply(countGlobally());
 * ```
 */
export function windowFn<T, W extends Window = IntervalWindow>(spec: WindowFnSpec<T, W>): WindowFn<T> {
  return new OwnWindowFn(spec);
}

/**
 * Windows of `sizeMs` milliseconds, starting at multiples of it plus `offsetMs`.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(minutes(5)))).apply(countGlobally());
 * ```
 */
export function fixed(sizeMs: number, offsetMs = 0): WindowFn {
  return new FixedWindows(sizeMs, offsetMs);
}

/**
 * Windows of `size` milliseconds, one starting every `every` milliseconds: each element is in `size / every` of them. Where `every` exceeds
 * `size` there are gaps between them, whose elements are dropped.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(sliding({ size: minutes(10), every: minutes(1) }))).apply(countPerElement());
 * ```
 */
export function sliding({
  size,
  every,
  offset = 0,
}: {
  readonly size: number;
  readonly every: number;
  readonly offset?: number;
}): WindowFn {
  return new SlidingWindows(size, every, offset);
}

/**
 * Sessions: the elements of a key with less than `gapMs` milliseconds from one to the next share a window, which ends `gapMs` after
 * the last of them. Windows take that form when elements are grouped.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(sessions(minutes(30)))).apply(withKeys(({ user }) => user)).apply(countPerKey());
 * ```
 */
export function sessions(gapMs: number): WindowFn {
  return new Sessions(gapMs);
}

/**
 * One window for everything.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(minutes(5)))).apply(windowInto(global())).apply(countGlobally());
 * ```
 */
export function global(): WindowFn {
  return globalWindows;
}

/**
 * Seconds in milliseconds.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(seconds(1)))).apply(countGlobally());
 * ```
 */
export const seconds = (n: number): number => n * 1000;
/**
 * Minutes in milliseconds.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(minutes(1)))).apply(countGlobally());
 * ```
 */
export const minutes = (n: number): number => n * 60_000;
/**
 * Hours in milliseconds.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(hours(1)))).apply(countGlobally());
 * ```
 */
export const hours = (n: number): number => n * 3_600_000;
/**
 * Days of 24 hours in milliseconds.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(days(1)))).apply(countGlobally());
 * ```
 */
export const days = (n: number): number => n * 86_400_000;
