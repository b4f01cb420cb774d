// State of tasks as records, for checkpoints: see snapshot-part.ts.
export * from "./change-log.js";
export * from "./newest-first.js";
export * from "./section-writer.js";
export * from "./snapshot-part.js";
export * from "./writer-pool.js";
