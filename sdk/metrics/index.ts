// Metrics for authors: made once, used in functions of transforms, read from the result of a run.
export * from "./metrics.js";
