// Keyed state of the runner: keys and their identity, key groups, and stores of cells by key and window.
export * from "./heap-store.js";
export * from "./key-groups.js";
export * from "./key-space.js";
export * from "./state-store.js";
export * from "./window-map.js";
