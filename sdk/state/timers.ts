// Declarations of timers, and what functions set them with. How they behave: /docs/event-time.md, Beam's model of timers.
import type { TimerCells } from "../../portability/stage-host/index.js";
import { formatTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp, type Window } from "../../portability/values/index.js";
import type { CurrentCall, TimerSpec } from "../model/state-spec.js";

/** Options of setting a timer. */
export interface TimerOptions {
  /**
   * The timestamp of what the callback puts out: until then the watermark waits there. At least the current timestamp, at most the end of the
   * window and, for a timer of event time, the instant that it fires at. Default: that instant for event time, the current timestamp for
   * processing time. "none" holds no watermark.
   */
  readonly outputTimestamp?: Timestamp | "none";
}

/** A timer of event time. */
export interface EventTimer {
  /**
   * Fires when the watermark has reached that instant, behind elements that were there before, although they may be later. The instant is at most
   * the end of the window and the allowed lateness; `window.maxTimestamp` always does. Replaces what was set before.
   *
   * @throws RangeError for an instant at which the window has expired
   */
  set(at: Timestamp, options?: TimerOptions): void;
  /** Fires at the last instant of the window. */
  setToEndOfWindow(options?: TimerOptions): void;
  /** Fires before the window expires: at the last instant at which it has state, which is its end and the allowed lateness. */
  setToExpiry(options?: TimerOptions): void;
  clear(): void;
}

/** Options of setting a timer relatively. */
export interface DelayOptions extends TimerOptions {
  /** Fires at the next multiple of this many milliseconds. */
  readonly alignToMs?: number;
}

/** A timer of processing time. */
export interface ProcessingTimer {
  /** Fires when the clock has reached that instant. Replaces what was set before. */
  set(at: Timestamp, options?: TimerOptions): void;
  /** Fires that many milliseconds from now. */
  after(delayMs: number, options?: DelayOptions): void;
  clear(): void;
}

/** Timers of event time, told apart by tags. */
export interface EventTimers {
  /** As {@link EventTimer.set}, for the timer of this tag. */
  set(tag: string, at: Timestamp, options?: TimerOptions): void;
  clear(tag: string): void;
}

/** Timers of processing time, told apart by tags. */
export interface ProcessingTimers {
  /** As {@link ProcessingTimer.set}, for the timer of this tag. */
  set(tag: string, at: Timestamp, options?: TimerOptions): void;
  /** As {@link ProcessingTimer.after}, for the timer of this tag. */
  after(tag: string, delayMs: number, options?: DelayOptions): void;
  clear(tag: string): void;
}

/**
 * Declares a timer of event time: it fires when the watermark has reached the instant that it was set to.
 *
 * @example
 * ```ts
 * sales.apply(windowInto(fixed(hours(1)))).apply(statefulParDo({
 *   state: { total: combining(sumFn) },
 *   timers: { end: eventTimer() },
 *   process({ value }, { state, timers }) {
 *     state.total.add(value);
 *     timers.end.setToEndOfWindow();
 *   },
 *   onTimer: { end: ({ key }, { state, emit }) => emit(kv(key, state.total.read())) },
 * }));
 * ```
 */
export function eventTimer(): TimerSpec<EventTimer> {
  return {
    domain: "event",
    open(cells, expiryOf, call) {
      const set = eventSetter(cells, expiryOf, call);
      return {
        set: (at, options) => set("", at, options),
        setToEndOfWindow: (options) => set("", call.window.maxTimestamp, options),
        setToExpiry: (options) => set("", expiryOf(call.window), options),
        clear: clearer(cells, call, ""),
      };
    },
  };
}

/**
 * Declares timers of event time that are told apart by tags, which are known when they are set.
 *
 * @example
 * ```ts
 * clicks.apply(withKeys((click) => click.user)).apply(statefulParDo({
 *   timers: { page: eventTimers() },
 *   process: ({ value }, { timers }) => timers.page.set(value.page, value.at + minutes(30)),
 *   onTimer: { page: ({ key, tag }, { emit }) => emit(`${key} has left ${tag}`) },
 * }));
 * ```
 */
export function eventTimers(): TimerSpec<EventTimers> {
  return {
    domain: "event",
    open: (cells, expiryOf, call) => ({ set: eventSetter(cells, expiryOf, call), clear: taggedClearer(cells, call) }),
  };
}

/**
 * Declares a timer of processing time: it fires when the clock has reached the instant that it was set to. At the end of bounded input it fires
 * rather than wait.
 *
 * @example
 * ```ts
 * sales.apply(statefulParDo({
 *   state: { batch: bag(schema.double) },
 *   timers: { flush: processingTimer() },
 *   process({ value }, { state, timers }) {
 *     if (state.batch.read().length === 0) timers.flush.after(seconds(1));
 *     state.batch.add(value);
 *   },
 *   onTimer: {
 *     flush(_timer, { state, emit }) {
 *       emit([...state.batch.read()]);
 *       state.batch.clear();
 *     },
 *   },
 * }));
 * ```
 */
export function processingTimer(): TimerSpec<ProcessingTimer> {
  return {
    domain: "processing",
    open(cells, _expiryOf, call) {
      const set = processingSetter(cells, call);
      return {
        set: (at, options) => set("", at, options),
        after: (delayMs, options) => set("", later(cells, delayMs, options), options),
        clear: clearer(cells, call, ""),
      };
    },
  };
}

/**
 * Declares timers of processing time that are told apart by tags, which are known when they are set.
 *
 * @example
 * ```ts
 * clicks.apply(withKeys((click) => click.user)).apply(statefulParDo({
 *   timers: { page: processingTimers() },
 *   process: ({ value }, { timers }) => timers.page.after(value.page, minutes(30)),
 *   onTimer: { page: ({ key, tag }, { emit }) => emit(`${key} has left ${tag}`) },
 * }));
 * ```
 */
export function processingTimers(): TimerSpec<ProcessingTimers> {
  return {
    domain: "processing",
    open(cells, _expiryOf, call) {
      const set = processingSetter(cells, call);
      return {
        set,
        after: (tag, delayMs, options) => set(tag, later(cells, delayMs, options), options),
        clear: taggedClearer(cells, call),
      };
    },
  };
}

type Setter = (tag: string, at: Timestamp, options?: TimerOptions) => void;

function eventSetter(cells: TimerCells, expiryOf: (window: Window) => Timestamp, call: CurrentCall): Setter {
  return (tag, at, { outputTimestamp } = {}) => {
    call.check();
    const fireAt = instant(at, "a timer fires");
    const expiry = expiryOf(call.window);
    if (fireAt > expiry)
      throw new RangeError(
        `a timer cannot fire at ${formatTimestamp(fireAt)}: its window ${String(call.window)} expires at ${formatTimestamp(expiry)}; ` +
          "use another window, or setToEndOfWindow()",
      );
    const latest = Math.min(fireAt, call.window.maxTimestamp);
    if (outputTimestamp === "none") cells.set(tag, fireAt, latest, false);
    else cells.set(tag, fireAt, outputTimestamp === undefined ? latest : checkedOutput(outputTimestamp, latest, call), true);
  };
}

function processingSetter(cells: TimerCells, call: CurrentCall): Setter {
  return (tag, at, { outputTimestamp = call.timestamp } = {}) => {
    call.check();
    const fireAt = instant(at, "a timer fires");
    const { maxTimestamp } = call.window;
    if (outputTimestamp === "none") cells.set(tag, fireAt, maxTimestamp, false);
    else cells.set(tag, fireAt, checkedOutput(outputTimestamp, maxTimestamp, call), true);
  };
}

function clearer(cells: TimerCells, call: CurrentCall, tag: string): () => void {
  return () => {
    call.check();
    cells.clear(tag);
  };
}

function taggedClearer(cells: TimerCells, call: CurrentCall): (tag: string) => void {
  return (tag) => {
    call.check();
    cells.clear(tag);
  };
}

function later(cells: TimerCells, delayMs: number, { alignToMs }: DelayOptions = {}): Timestamp {
  if (!(delayMs >= 0)) throw new RangeError(`a timer fires so many milliseconds from now, at least 0, not ${String(delayMs)}`);
  const at = cells.now + delayMs;
  if (alignToMs === undefined) return at;
  if (!(Number.isSafeInteger(alignToMs) && alignToMs > 0))
    throw new RangeError(`timers are aligned to a whole number of milliseconds above 0, not ${String(alignToMs)}`);
  return Math.ceil(at / alignToMs) * alignToMs;
}

function instant(at: number, what: string): Timestamp {
  if (!(typeof at === "number" && at >= MIN_TIMESTAMP && at <= MAX_TIMESTAMP))
    throw new RangeError(`${what} at a number of milliseconds, from ${MIN_TIMESTAMP} to ${MAX_TIMESTAMP}, not ${String(at)}`);
  return Math.floor(at);
}

function checkedOutput(at: Timestamp, latest: Timestamp, call: CurrentCall): Timestamp {
  const outputAt = instant(at, "a timer puts out");
  if (outputAt < call.timestamp || outputAt > latest)
    throw new RangeError(
      `the output timestamp of a timer is between the current one and the end of its window, and not behind what it fires at: from ` +
        `${formatTimestamp(call.timestamp)} to ${formatTimestamp(latest)}, not ${formatTimestamp(outputAt)}`,
    );
  return outputAt;
}
