import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { StateSpec } from "../model/state-spec.js";
import { coderFor, type ElementType } from "./element-type.js";
import { paged } from "./paged.js";

/** A value, and the instant that it is ordered by. */
export interface Timestamped<T> {
  readonly timestamp: Timestamp;
  readonly value: T;
}

/** State of values by ascending timestamp. */
export interface OrderedListState<T> {
  add(timestamp: Timestamp, value: T): void;
  /** Those with `from <= timestamp < to`; all of them if nothing is said. */
  read(from?: Timestamp, to?: Timestamp): readonly Timestamped<T>[];
  /** Drops those with `from <= timestamp < to`; all of them if nothing is said. */
  clear(from?: Timestamp, to?: Timestamp): void;
}

/** State of more values by ascending timestamp than should be in memory at a time. */
export interface LargeOrderedListState<T> {
  add(timestamp: Timestamp, value: T): void;
  /** Those with `from <= timestamp < to`, page by page; all of them if nothing is said. */
  read(from?: Timestamp, to?: Timestamp): AsyncIterable<Timestamped<T>>;
  /** Drops those with `from <= timestamp < to`; all of them if nothing is said. */
  clear(from?: Timestamp, to?: Timestamp): void;
}

/**
 * State of values by ascending timestamp, of which spans are read and dropped (Beam's OrderedListState). Say `large` where they are too many to have in
 * memory at a time: then they are read asynchronously, page by page.
 *
 * @example
 * ```ts
 * cards.apply(statefulParDo({
 *   state: { lately: orderedList(schema.double) },
 *   process({ value }, { state, timestamp, emit }) {
 *     state.lately.clear(-Infinity, timestamp - minutes(10));
 *     state.lately.add(timestamp, value);
 *     if (state.lately.read().length > 5) emit("six within ten minutes");
 *   },
 * }));
 * ```
 */
export function orderedList<T>(type?: ElementType<T>, options?: { readonly large?: false }): StateSpec<OrderedListState<T>>;
export function orderedList<T>(type: ElementType<T> | undefined, options: { readonly large: true }): StateSpec<LargeOrderedListState<T>>;
export function orderedList<T>(
  type?: ElementType<T>,
  options: { readonly large?: boolean } = {},
): StateSpec<OrderedListState<T> | LargeOrderedListState<T>> {
  return {
    kind: "ordered-list",
    coders: [coderFor(type)],
    open(state, id) {
      const cell = state.orderedList(id);
      const small: OrderedListState<T> = {
        add(timestamp, value) {
          if (!(timestamp >= MIN_TIMESTAMP && timestamp <= MAX_TIMESTAMP))
            throw new RangeError(
              `a timestamp is a number of milliseconds, from ${MIN_TIMESTAMP} to ${MAX_TIMESTAMP}, not ${String(timestamp)}`,
            );
          cell.add(timestamp, value);
        },
        read(from = -Infinity, to = Infinity) {
          return cell.read(from, to).map(({ sortKey, value }) => ({ timestamp: sortKey, value: value as T }));
        },
        clear(from = -Infinity, to = Infinity) {
          cell.clear(from, to);
        },
      };
      if (options.large !== true) return small;
      return { ...small, read: (from, to) => paged(small.read(from, to)) };
    },
  };
}
