// How tasks run: batches, channels with credits, links between workers, tasks and the event loop that gives them turns.
// Knows no protos and no user code: a stage is a StageExecutor, an element is a value with its meta.
export * from "./batch-codec.js";
export type * from "./bundle-participant.js";
export * from "./channel.js";
export * from "./clock.js";
export * from "./element-batch.js";
export * from "./element-sizer.js";
export * from "./head.js";
export * from "./inbox.js";
export * from "./late-output-head.js";
export * from "./link-endpoint.js";
export * from "./link.js";
export * from "./outbox.js";
export * from "./output-stream.js";
export * from "./remote-channel.js";
export * from "./runtime-options.js";
export * from "./side-input-buffer.js";
export * from "./side-input-head.js";
export * from "./source-head.js";
export * from "./task.js";
export type * from "./task-counts.js";
export * from "./worker.js";
export type { Hello } from "./greeting.js";
