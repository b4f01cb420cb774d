// How elements are grouped by key and window, and when a group is emitted. Knows no protos, clocks or sockets.
export type { Emit, Repeatable } from "./emitted-groups.js";
export * from "./group-by-key.js";
export * from "./group-into-panes.js";
export * from "./grouping-strategy.js";
export * from "./instant-queue.js";
export * from "./trigger-machine.js";
export * from "./groups-snapshot.js";
export * from "./panes-snapshot.js";
