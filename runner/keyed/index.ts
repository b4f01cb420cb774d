// State and timers of stateful transforms: a head operator, free of protos and of how bundles are made.
export { EvictedRecords, type EvictionParts } from "./evicted-records.js";
export { KeyedHead } from "./keyed-head.js";
export type { CellSpec, FamilySpec, KeyedSpec } from "./keyed-spec.js";
export { KeyedStore } from "./keyed-store.js";
export * from "./keyed-snapshot.js";
export type { KeyedCoders } from "./record-codec.js";
