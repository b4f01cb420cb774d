// Equal elements once for a while (Beam's Deduplicate).
//
// D1. In event time an element is dropped if and only if an equal one of its window that was let through is less than the duration apart from it,
//     before or after. What was let through is remembered until the watermark has passed all that it could have dropped.
// D2. In processing time it is dropped until the duration has passed since an equal one was let through.
import { kvCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import { schema } from "../../portability/schemas/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { eventTimers, orderedList, processingTimer, value as single } from "../state/index.js";
import { anyValue } from "../transforms/element-coder.js";
import { fronted } from "../transforms/function-parts.js";
import { elementwise, output } from "../transforms/par-do.js";
import { statefulParDo } from "../transforms/stateful-par-do.js";
import { checkWhole } from "./limits.js";

/** Options of {@link deduplicate}. */
export interface DeduplicateOptions<T> {
  /** For how many milliseconds an element keeps equal ones away. */
  readonly durationMs: number;
  /**
   * Whose milliseconds: those of timestamps, so that the result does not depend on when elements come, or those of the clock. Default "event".
   */
  readonly domain?: "event" | "processing";
  /** What makes elements equal; by default all of them. Compared by encoded bytes. */
  readonly by?: (element: T) => unknown;
}

/**
 * The elements without those that repeat an earlier one: of equal elements in a window, the first that comes is let through, and the others are
 * dropped for a while. Unlike `distinct`, it lets elements through at once, and remembers each for the duration alone.
 *
 * In event time, elements are repeated where their timestamps are less than `durationMs` apart; elements that are late by more than that may
 * repeat one that is forgotten.
 *
 * @throws PipelineError at construction when the element coder is not deterministic, or windows merge
 * @throws RangeError for a duration that is no whole number of milliseconds above 0
 * @example
 * ```ts
 * clicks.apply(deduplicate({ by: ({ user, page }) => [user, page], durationMs: minutes(10) }));
 * ```
 */
export function deduplicate<T>(options: DeduplicateOptions<T>): PTransform<PCollection<T>, PCollection<T>>;
export function deduplicate<T>(name: string, options: DeduplicateOptions<T>): PTransform<PCollection<T>, PCollection<T>>;
export function deduplicate<T>(
  ...args: [string, DeduplicateOptions<T>] | [DeduplicateOptions<T>]
): PTransform<PCollection<T>, PCollection<T>> {
  const [name, { durationMs, domain = "event", by }] = args.length === 2 ? args : [undefined, args[0]];
  checkWhole("durationMs", durationMs, 1);
  return fronted(name, "deduplicate", (input: PCollection<T>, first) =>
    input
      .apply(first(keyed(by)))
      .apply(domain === "event" ? firstInEventTime<T>(input.coder, durationMs) : firstInProcessingTime<T>(input.coder, durationMs)),
  );
}

/** Keys elements by themselves, or by what the author says. */
function keyed<T>(by: ((element: T) => unknown) | undefined): PTransform<PCollection<T>, PCollection<KV<unknown, T>>> {
  const fn = (element: T): KV<unknown, T> => kv(by === undefined ? element : by(element), element);
  return elementwise("key", "key", { kind: "map", fn, concurrency: 1 }, ({ coder }) => kvCoder(by === undefined ? coder : anyValue, coder));
}

type First<T> = PTransform<PCollection<KV<unknown, T>>, PCollection<T>>;

/** D1 */
function firstInEventTime<T>(coder: Coder<unknown>, durationMs: number): First<T> {
  return statefulParDo("first", {
    outputs: output<T>(coder as Coder<T>),
    state: { passed: orderedList(schema.boolean) },
    timers: { forget: eventTimers() },
    process({ value }: KV<unknown, T>, { state, timers, timestamp, window, emit }) {
      const near = state.passed.read(timestamp - durationMs, timestamp + (durationMs + 1));
      if (near.some((other) => Math.abs(other.timestamp - timestamp) < durationMs)) return;
      state.passed.add(timestamp, true);
      const until = timestamp + durationMs;
      if (until <= window.maxTimestamp) timers.forget.set(String(timestamp), until, { outputTimestamp: "none" }); // else with its window
      emit(value);
    },
    onTimer: { forget: ({ fireAt }, { state }) => state.passed.clear(fireAt - durationMs, fireAt - durationMs + 1) },
  });
}

/** D2 */
function firstInProcessingTime<T>(coder: Coder<unknown>, durationMs: number): First<T> {
  return statefulParDo("first", {
    outputs: output<T>(coder as Coder<T>),
    state: { passed: single(schema.boolean) },
    timers: { forget: processingTimer() },
    process({ value }: KV<unknown, T>, { state, timers, emit }) {
      if (state.passed.read() === true) return;
      timers.forget.after(durationMs, { outputTimestamp: "none" });
      state.passed.write(true);
      emit(value);
    },
    onTimer: { forget: (_timer, { state }) => state.passed.clear() },
  });
}
