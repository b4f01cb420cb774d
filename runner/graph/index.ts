// From a pipeline proto to fused stages, in pure functions: validate, lift combiners, expand splittable DoFns, flatten the hierarchy, prefix
// unknown encodings, fuse. Each phase returns a new value and leaves its input as it was. What this folder returns still
// speaks Beam (PCollections, transforms, environments); runner/topology turns it into spouts and bolts.
export * from "./align-coders.js";
export * from "./delimit-scripts.js";
export * from "./expand-splittable.js";
export * from "./fuse.js";
export * from "./fuse-pipeline.js";
export type * from "./fused-pipeline.js";
export type { LeafTransform } from "./leaf-transforms.js";
export * from "./length-prefix.js";
export * from "./lift-combiners.js";
export * from "./pipeline-graph.js";
export type { TransformKind } from "./transform-kinds.js";
export * from "./validate.js";
