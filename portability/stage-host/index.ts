// The stage-host interface: how a runner executes user code without knowing who wrote it. See stage-host.ts.
export * from "./errors.js";
export * from "./keyed-state.js";
export type * from "./restrictions.js";
export * from "./stage-descriptor.js";
export * from "./stage-host.js";
