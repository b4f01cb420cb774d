// Keyed state of the runner: keys and their identity, key groups, and stores of cells by key and window.
export * from "./address-table.js";
export { LastingGroups, type Groups } from "./groups.js";
export * from "./heap-store.js";
export * from "./key-groups.js";
export * from "./key-space.js";
export { MemoryBudget, type Spillable } from "./memory-budget.js";
export { makeProcessFolder } from "./process-folder.js";
export * from "./record-log.js";
export { SpillError, SpillFolder } from "./spill-folder.js";
export * from "./spilling-list.js";
export { spillingStore } from "./spilling-store.js";
export * from "./state-store.js";
export * from "./window-map.js";
