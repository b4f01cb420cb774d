import type { StateSpec } from "../model/state-spec.js";
import { coderFor, type ElementType } from "./element-type.js";
import { paged } from "./paged.js";

/** State of any number of values. */
export interface BagState<T> {
  /** In the order in which they were added. */
  read(): readonly T[];
  add(value: T): void;
  clear(): void;
}

/** State of more values than should be in memory at a time. */
export interface LargeBagState<T> {
  /** In the order in which they were added, page by page. */
  read(): AsyncIterable<T>;
  add(value: T): void;
  clear(): void;
}

/**
 * State of any number of values (Beam's BagState). Say `large` where they are too many to have in memory at a time: then they are read
 * asynchronously, page by page.
 *
 * @example
 * ```ts
 * sales.apply(statefulParDo({
 *   state: { waiting: bag(schema.double) },
 *   process({ value }, { state, emit }) {
 *     state.waiting.add(value);
 *     if (state.waiting.read().length < 10) return;
 *     emit([...state.waiting.read()]);
 *     state.waiting.clear();
 *   },
 * }));
 * ```
 */
export function bag<T>(type?: ElementType<T>, options?: { readonly large?: false }): StateSpec<BagState<T>>;
export function bag<T>(type: ElementType<T> | undefined, options: { readonly large: true }): StateSpec<LargeBagState<T>>;
export function bag<T>(type?: ElementType<T>, options: { readonly large?: boolean } = {}): StateSpec<BagState<T> | LargeBagState<T>> {
  return {
    kind: "bag",
    coders: [coderFor(type)],
    open(state, id) {
      const cell = state.bag(id) as BagState<T>;
      if (options.large !== true) return cell;
      return { read: () => paged(cell.read()), add: (added) => cell.add(added), clear: () => cell.clear() };
    },
  };
}
