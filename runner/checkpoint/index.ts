// Checkpoints on disk, and the decisions of who coordinates them.
export * from "./block-pool.js";
export * from "./checkpoint-folder.js";
export * from "./checkpoint-protocol.js";
export * from "./checkpoint-reader.js";
export * from "./crash-points.js";
export * from "./manifest.js";
export * from "./merge-pieces.js";
export * from "./piece-file.js";
export * from "./piece-merger.js";
