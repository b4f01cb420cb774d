import type { ElementContext } from "../model/do-fn.js";
import { type ElementMeta, IMPULSE_META, type PaneInfo, type Timestamp, type Window } from "../../portability/values/index.js";

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
    return this.meta.windows[0];
  }
  get pane(): PaneInfo {
    return this.meta.pane;
  }
}
