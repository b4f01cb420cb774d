import type { Window } from "../values/index.js";
import type { WindowFn } from "./window-fn.js";

/**
 * The window of a side input that an element of `mainWindow` sees: of the windows that hold the last instant of `mainWindow`, the
 * one that ends first (Beam's default window mapping). It is complete no later than any other of them.
 * @internal
 */
export function sideInputWindow(windowFn: WindowFn, mainWindow: Window): Window {
  const windows = windowFn.assign(mainWindow.maxTimestamp);
  let first = windows[0];
  for (const window of windows) if (window.maxTimestamp < first.maxTimestamp) first = window;
  return first;
}
