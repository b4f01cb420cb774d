import type { StateSpec } from "../model/state-spec.js";
import { keyCoderFor, type ElementType } from "./element-type.js";
import { paged } from "./paged.js";

/** State of distinct elements. */
export interface SetState<T> {
  readonly size: number;
  has(element: T): boolean;
  /** Whether it was not there before. */
  add(element: T): boolean;
  delete(element: T): void;
  values(): IterableIterator<T>;
  clear(): void;
}

/** State of more distinct elements than should be in memory at a time. */
export interface LargeSetState<T> {
  has(element: T): Promise<boolean>;
  add(element: T): void;
  delete(element: T): void;
  values(): AsyncIterable<T>;
  clear(): void;
}

/**
 * State of distinct elements (Beam's SetState), which are equal when their encoded bytes are. Say `large` where they are too many to have in memory at
 * a time: then they are read asynchronously, page by page.
 *
 * @throws PipelineError when their coder is not deterministic
 * @example
 * ```ts
 * clicks.apply(withKeys((click) => click.page)).apply(statefulParDo({
 *   state: { users: set(schema.string) },
 *   process({ value: { user } }, { state, emit }) {
 *     if (state.users.add(user)) emit(user);
 *   },
 * }));
 * ```
 */
export function set<T>(type?: ElementType<T>, options?: { readonly large?: false }): StateSpec<SetState<T>>;
export function set<T>(type: ElementType<T> | undefined, options: { readonly large: true }): StateSpec<LargeSetState<T>>;
export function set<T>(type?: ElementType<T>, options: { readonly large?: boolean } = {}): StateSpec<SetState<T> | LargeSetState<T>> {
  return {
    kind: "set",
    coders: [keyCoderFor("elements of a set", type)],
    open(state, id) {
      const cell = state.multimap(id);
      const small: SetState<T> = {
        get size() {
          return cell.size;
        },
        has: (element) => cell.get(element).length > 0,
        add(element) {
          if (small.has(element)) return false;
          cell.replace(element, true);
          return true;
        },
        delete: (element) => cell.remove(element),
        values: () => cell.keys() as IterableIterator<T>,
        clear: () => cell.clear(),
      };
      if (options.large !== true) return small;
      return {
        has: (element) => Promise.resolve(small.has(element)),
        add: (element) => void small.add(element),
        delete: (element) => small.delete(element),
        values: () => paged(small.values()),
        clear: () => small.clear(),
      };
    },
  };
}
