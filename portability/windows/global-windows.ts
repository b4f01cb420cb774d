import { GLOBAL_WINDOWS } from "../values/index.js";
import type { WindowFn } from "./window-fn.js";

/**
 * Everything in one window, `beam:window_fn:global_windows:v1`.
 *
 * @example
 * ```ts
 * const [window] = globalWindows.assign(90_000);
 * ```
 */
export const globalWindows: WindowFn = {
  urn: "beam:window_fn:global_windows:v1",
  merging: false,
  assign: () => GLOBAL_WINDOWS,
};
