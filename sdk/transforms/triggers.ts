// When panes are emitted. Each function gives a trigger as data; the runner executes it (Beam model, "triggers").
import type { DelayStep, Trigger } from "../../portability/windows/index.js";

/**
 * Once, when the watermark passes the end of the window; before it as often as `early` says, behind it as often as `late` says. Both are
 * repeated by themselves. Without `late`, elements behind the end are lost, so allowed lateness asks for one.
 *
 * @example
 * ```ts
 * clicks.apply(
 *   windowInto(fixed(minutes(1)), {
 *     trigger: afterWatermark({ early: afterDelay(seconds(5)), late: afterEachElement() }),
 *     allowedLatenessMs: hours(1),
 *   }),
 * );
 * ```
 */
export function afterWatermark({ early, late }: { readonly early?: Trigger; readonly late?: Trigger } = {}): Trigger {
  return { kind: "after-end-of-window", ...(early === undefined ? {} : { early }), ...(late === undefined ? {} : { late }) };
}

/**
 * Once, `ms` milliseconds of processing time after the first element of a pane; `alignTo` puts that off to the next multiple of as
 * many milliseconds, so that the panes of all keys come together.
 *
 * @throws RangeError for a delay below zero or an alignment that is not above it
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: repeatedly(afterDelay(seconds(10), { alignTo: minutes(1) })) })).apply(countGlobally());
 * ```
 */
export function afterDelay(ms: number, { alignTo }: { readonly alignTo?: number } = {}): Trigger {
  if (!(Number.isSafeInteger(ms) && ms >= 0)) throw new RangeError(`a delay is a whole number of milliseconds from 0 on, not ${ms}`);
  if (alignTo !== undefined && !(Number.isSafeInteger(alignTo) && alignTo > 0))
    throw new RangeError(`an alignment is a whole number of milliseconds above 0, not ${alignTo}`);
  const steps: DelayStep[] = [{ delayMs: ms }];
  if (alignTo !== undefined) steps.push({ alignToMs: alignTo, offsetMs: 0 });
  return { kind: "after-processing-time", steps };
}

/**
 * Once, when a pane has `count` elements.
 *
 * @throws RangeError unless `count` is a whole number above zero
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: repeatedly(afterCount(100)) })).apply(countGlobally());
 * ```
 */
export function afterCount(count: number): Trigger {
  if (!(Number.isInteger(count) && count > 0 && count < 2 ** 31)) throw new RangeError(`a count is a whole number above 0, not ${count}`);
  return { kind: "element-count", count };
}

/**
 * For each element, again and again.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: afterEachElement(), panes: "accumulating" })).apply(countGlobally());
 * ```
 */
export const afterEachElement = (): Trigger => ({ kind: "always" });

/**
 * Whenever `trigger` fires, which starts anew each time.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: repeatedly(afterAny(afterCount(100), afterDelay(seconds(1)))) })).apply(countGlobally());
 * ```
 */
export const repeatedly = (trigger: Trigger): Trigger => ({ kind: "repeat", of: trigger });

/**
 * Once, when each of the triggers is ready.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: repeatedly(afterAll(afterCount(10), afterDelay(seconds(1)))) })).apply(countGlobally());
 * ```
 */
export const afterAll = (...triggers: readonly [Trigger, ...Trigger[]]): Trigger => ({ kind: "after-all", of: triggers });

/**
 * Once, when one of the triggers is ready.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: repeatedly(afterAny(afterCount(10), afterDelay(seconds(1)))) })).apply(countGlobally());
 * ```
 */
export const afterAny = (...triggers: readonly [Trigger, ...Trigger[]]): Trigger => ({ kind: "after-any", of: triggers });

/**
 * As the first trigger until it has finished, then as the second, and so on.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(global(), { trigger: afterEach(afterCount(1), repeatedly(afterCount(100))) })).apply(countGlobally());
 * ```
 */
export const afterEach = (...triggers: readonly [Trigger, ...Trigger[]]): Trigger => ({ kind: "after-each", of: triggers });

/**
 * As `main` until `until` fires: then once more, and no more. What comes afterwards is lost.
 *
 * @example
 * ```ts
 * clicks
 *   .apply(windowInto(global(), { trigger: orFinally(repeatedly(afterCount(10)), afterCount(1000)), unsafeTrigger: true }))
 *   .apply(countGlobally());
 * ```
 */
export const orFinally = (main: Trigger, until: Trigger): Trigger => ({ kind: "or-finally", main, until });

/**
 * Not before the window expires.
 *
 * @example
 * ```ts
 * clicks.apply(windowInto(fixed(minutes(1)), { trigger: never(), allowedLatenessMs: hours(1) })).apply(countGlobally());
 * ```
 */
export const never = (): Trigger => ({ kind: "never" });
