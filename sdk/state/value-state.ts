import type { StateSpec } from "../model/state-spec.js";
import { coderFor, type ElementType } from "./element-type.js";

/** State of one value. */
export interface ValueState<T> {
  /** Undefined if nothing was written. What is read is not to be changed, but written anew. */
  read(): T | undefined;
  write(value: T): void;
  clear(): void;
}

/**
 * State that is one value, or nothing (Beam's ReadModifyWriteState).
 *
 * @example
 * ```ts
 * counts.apply(statefulParDo({
 *   state: { last: value<number>() },
 *   process({ value }, { state, emit }) {
 *     if (state.last.read() !== value) emit(value);
 *     state.last.write(value);
 *   },
 * }));
 * ```
 */
export function value<T>(type?: ElementType<T>): StateSpec<ValueState<T>> {
  return {
    kind: "value",
    coders: [coderFor(type)],
    open: (state, id) => state.value(id) as ValueState<T>,
  };
}
