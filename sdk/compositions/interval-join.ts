// Joins two streams where the timestamps of their elements are close (Flink's interval join).
//
// I1. A pair is put out once, when the second of its two elements comes, at the later of their timestamps. So nothing is put out behind an element
//     that is in time, and the watermark waits for nobody.
// I2. An element is kept until the watermark has passed all that it could be joined with, and at most the length of the interval longer: elements
//     that may go by then share a timer, so that a key has few.
import { kvCoder, unionCoder, type Coder, type Tagged } from "../../portability/coders/index.js";
import { kv, type KV, type Timestamp } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { eventTimers, orderedList, type OrderedListState, type Timestamped } from "../state/index.js";
import { commonKeyCoder, pipelineOf } from "../transforms/co-group-by-key.js";
import { flatten } from "../transforms/flatten.js";
import { keyedCoders } from "../transforms/keyed-coder.js";
import { elementwise } from "../transforms/par-do.js";
import { statefulParDo } from "../transforms/stateful-par-do.js";

/** Which elements of the other stream an element is joined with: those from `beforeMs` before it to `afterMs` after it, both included. */
export interface IntervalJoinOptions {
  /** Milliseconds of event time; negative for those that are later than the element by at least so much. Default 0. */
  readonly beforeMs?: number;
  /** Milliseconds of event time; negative for those that are earlier. Default 0. */
  readonly afterMs?: number;
}

const LEFT = 0;

/**
 * All pairs of values that a key has in both PCollections whose timestamps are close: those of the other one are from `beforeMs` before to `afterMs`
 * after those of this one. A pair is there as soon as both are, at the later timestamp. For streams without end in one window: what is joined is not
 * what happens to be in one window with it, and state is as large as the interval. Both in the same windows; values in different windows never meet.
 *
 * @throws PipelineError at construction for a key coder that is not deterministic, keys that are encoded differently, different windows, and windows
 *   that merge
 * @throws RangeError for an interval that ends before it begins
 * @example
 * ```ts
 * // Each visit with the orders that its user has made in the half hour behind it.
 * visitsByUser.apply(intervalJoin(ordersByUser, { afterMs: minutes(30) })).apply(map(({ key, value: [page, order] }) => `${key} ${page} ${order.id}`));
 * ```
 */
export function intervalJoin<K, L, R>(
  other: PCollection<KV<K, R>>,
  { beforeMs = 0, afterMs = 0 }: IntervalJoinOptions,
  name?: string,
): PTransform<PCollection<KV<K, L>>, PCollection<KV<K, readonly [left: L, right: R]>>> {
  for (const [option, ms] of Object.entries({ beforeMs, afterMs }))
    if (!Number.isSafeInteger(ms)) throw new RangeError(`${option} must be a whole number of milliseconds, not ${String(ms)}`);
  if (beforeMs + afterMs < 0)
    throw new RangeError(
      `an interval from ${-beforeMs} ms to ${afterMs} ms after an element ends before it begins; make one of them greater`,
    );
  return {
    name,
    defaultName: "intervalJoin",
    expand(input) {
      const p = pipelineOf(input);
      const sides = [keyedCoders(input), keyedCoders(other)];
      const keyCoder = commonKeyCoder(p, sides);
      const [left, right] = sides.map(({ valueCoder }) => valueCoder);
      const coder = kvCoder(keyCoder, unionCoder([left, right])) as Coder<unknown>;
      const tagged = [input, other].map((side: PCollection<KV<K, unknown>>, kind) => {
        const fn = ({ key, value }: KV<K, unknown>): KV<K, Tagged> => kv(key, [kind, value]);
        return side.apply(
          elementwise<KV<K, unknown>, KV<K, Tagged>>(
            kind === LEFT ? "left" : "right",
            "side",
            { kind: "map", fn, concurrency: 1 },
            () => coder,
          ),
        );
      });
      return p.apply(flatten("both", tagged)).apply(pairs<K, L, R>({ beforeMs, afterMs }, left as Coder<L>, right as Coder<R>));
    },
  };
}

function pairs<K, L, R>(
  { beforeMs, afterMs }: Required<IntervalJoinOptions>,
  left: Coder<L>,
  right: Coder<R>,
): PTransform<PCollection<KV<K, Tagged>>, PCollection<KV<K, readonly [L, R]>>> {
  const stepMs = Math.max(1, beforeMs + afterMs);
  /** When an element may go that is not joined with anything later than that (I2). */
  const sweepAt = (last: Timestamp): Timestamp => (Math.floor(last / stepMs) + 1) * stepMs;
  return statefulParDo("pairs", {
    state: { lefts: orderedList(left), rights: orderedList(right) },
    timers: { sweep: eventTimers() },
    process({ key, value: [kind, value] }: KV<K, Tagged>, { state, timers, timestamp, window, emit }) {
      const isLeft = kind === LEFT;
      if (isLeft) {
        state.lefts.add(timestamp, value as L);
        for (const match of within(state.rights, timestamp, beforeMs, afterMs))
          emit(kv(key, [value as L, match.value] as const), Math.max(timestamp, match.timestamp));
      } else {
        state.rights.add(timestamp, value as R);
        for (const match of within(state.lefts, timestamp, afterMs, beforeMs))
          emit(kv(key, [match.value, value as R] as const), Math.max(timestamp, match.timestamp));
      }
      const at = sweepAt(timestamp + (isLeft ? afterMs : beforeMs));
      if (at <= window.maxTimestamp) timers.sweep.set(String(at), at, { outputTimestamp: "none" }); // else it goes with its window
    },
    onTimer: {
      sweep({ fireAt }, { state }) {
        state.lefts.clear(-Infinity, fireAt - afterMs);
        state.rights.clear(-Infinity, fireAt - beforeMs);
      },
    },
  });
}

/** The entries from `beforeMs` before to `afterMs` after an instant, both included, which at the minimum timestamp takes more than adding one. */
function within<T>(list: OrderedListState<T>, timestamp: Timestamp, beforeMs: number, afterMs: number): readonly Timestamped<T>[] {
  const to = timestamp + afterMs;
  return list.read(timestamp - beforeMs, to < Number.MIN_SAFE_INTEGER ? to + 2 : to + 1);
}
