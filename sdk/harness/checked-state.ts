import type { KeyedState } from "../../portability/stage-host/index.js";
import type { CurrentCall } from "../model/state-spec.js";

/** Cells that can be used while a call is under way, and not afterwards, when they would be those of another key: {@link CurrentCall.check} throws. */
export function checkedState(state: KeyedState, call: CurrentCall): KeyedState {
  const checked =
    <Args extends readonly unknown[], R>(fn: (...args: Args) => R) =>
    (...args: Args): R => {
      call.check();
      return fn(...args);
    };
  return {
    select: checked((key, window) => state.select(key, window)),
    value(id) {
      const cell = state.value(id);
      return {
        // Written out, since these are called for every element.
        read() {
          call.check();
          return cell.read();
        },
        write(value) {
          call.check();
          cell.write(value);
        },
        clear: checked(() => cell.clear()),
        get isFresh() {
          return cell.isFresh;
        },
      };
    },
    bag(id) {
      const cell = state.bag(id);
      return { read: checked(() => cell.read()), add: checked((value) => cell.add(value)), clear: checked(() => cell.clear()) };
    },
    multimap(id) {
      const cell = state.multimap(id);
      return {
        get size() {
          call.check();
          return cell.size;
        },
        keys: checked(() => cell.keys()),
        get: checked((key) => cell.get(key)),
        add: checked((key, value) => cell.add(key, value)),
        replace: checked((key, value) => cell.replace(key, value)),
        remove: checked((key) => cell.remove(key)),
        clear: checked(() => cell.clear()),
      };
    },
    orderedList(id) {
      const cell = state.orderedList(id);
      return {
        add: checked((sortKey, value) => cell.add(sortKey, value)),
        read: checked((from, to) => cell.read(from, to)),
        clear: checked((from, to) => cell.clear(from, to)),
      };
    },
    timers: (family) => state.timers(family),
    expiryOf: (window) => state.expiryOf(window),
  };
}
