// Metrics of user code: values that merge, and their form on the wire.
export * from "./metric.js";
export * from "./monitoring-infos.js";
export * from "./trie.js";
