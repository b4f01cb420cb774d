// Coders: values to bytes and back, exactly as Beam lays them out. One coder a file, and the registry by URN.
export * from "./bool-coder.js";
export * from "./byte-reader.js";
export * from "./byte-writer.js";
export * from "./bytes-coder.js";
export type * from "./coder.js";
export * from "./coder-error.js";
export * from "./double-coder.js";
export * from "./iterable-coder.js";
export * from "./kv-coder.js";
export * from "./length-prefix-coder.js";
export * from "./nullable-coder.js";
export * from "./registry.js";
export * from "./utf8-coder.js";
export * from "./value-coder.js";
export * from "./varint-coder.js";
export * from "./window-coders.js";
export * from "./windowed-value-coder.js";
