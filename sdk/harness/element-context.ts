import type { ElementContext } from "../model/do-fn.js";
import { type ElementMeta, IMPULSE_META, type PaneInfo, type Timestamp, type Window } from "../../portability/values/index.js";
import type { SideInputView } from "./side-input-view.js";

const SEVERAL_WINDOWS =
  "the element is in several windows: declare the function's second parameter, (element, context), so that it is called once for each";

/**
 * What a user function sees of its element. One per transform, re-aimed at every element, so that an element costs one
 * store; a call that turns out to be asynchronous keeps the one it was given, and the transform takes a new one.
 */
export class ReusedContext implements ElementContext {
  meta: ElementMeta = IMPULSE_META;
  get timestamp(): Timestamp {
    return this.meta.timestamp;
  }
  get window(): Window {
    const { windows } = this.meta;
    if (windows.length > 1) throw new Error(SEVERAL_WINDOWS);
    return windows[0];
  }
  get pane(): PaneInfo {
    return this.meta.pane;
  }
}

/** The class of contexts that have the views of these side inputs, too: getters, so that a view is made when it is first asked for. */
export function withSideInputs<C extends new (...args: never[]) => ReusedContext>(
  Context: C,
  views: ReadonlyMap<string, SideInputView>,
): C {
  if (views.size === 0) return Context;
  // The cast says what TypeScript wants of a mixin; the class adds nothing to what is constructed.
  const Extended = class extends (Context as unknown as new (...args: unknown[]) => ReusedContext) {} as unknown as C;
  for (const [name, view] of views)
    Object.defineProperty(Extended.prototype, name, {
      enumerable: true,
      get(this: ReusedContext): unknown {
        return view.at(this.meta.windows[0]);
      },
    });
  return Extended;
}
