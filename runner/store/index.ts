// Keyed state of the runner: keys and their identity, key groups, and stores of cells by key and window.
export * from "./heap-store.js";
export * from "./key-groups.js";
export * from "./key-space.js";
export { MemoryBudget } from "./memory-budget.js";
export { SpillError, SpillFolder } from "./spill-folder.js";
export { spillingStore } from "./spilling-store.js";
export * from "./state-store.js";
export * from "./window-map.js";
