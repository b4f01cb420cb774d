// Values that both sides of the portability layer speak of: instants, windows, panes, keyed values. Imports nothing.
export * from "./element-meta.js";
export * from "./kv.js";
export * from "./pane-info.js";
export * from "./timestamp.js";
export * from "./window.js";
