// How elements are grouped by key and window, and when a group is emitted. Knows no protos, clocks or sockets.
export * from "./group-by-key.js";
export * from "./grouping-strategy.js";
export * from "./merging-group-by-key.js";
export * from "./merging-windows.js";
