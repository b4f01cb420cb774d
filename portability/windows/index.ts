// The standard window functions by URN: which windows a timestamp falls into. Knows values, no protos, no clocks.
export * from "./assigns-one-window.js";
export * from "./calendar-windows.js";
export * from "./fixed-windows.js";
export * from "./global-windows.js";
export * from "./merge-overlapping.js";
export * from "./sessions.js";
export * from "./side-input-window.js";
export * from "./sliding-windows.js";
export * from "./trigger.js";
export type * from "./window-fn.js";
