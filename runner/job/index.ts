// A job from topology to result: its coordinator, the workers' agents, and the Job that its user holds.
export { HungJobError } from "./coordinator.js";
export { WorkerLostError } from "./restartable.js";
export type { CheckpointOptions } from "./job-checkpoints.js";
export * from "./in-process-launcher.js";
export type { Job, JobMessage, JobState } from "./job.js";
export type { ComponentMetrics, JobMetrics } from "./job-metrics.js";
export * from "./message-codec.js";
export type * from "./messages.js";
export { checkGroupings } from "./read-grouping-strategy.js";
export * from "./run-job.js";
export { WorkerAgent } from "./worker-agent.js";
export type * from "./worker-port.js";
