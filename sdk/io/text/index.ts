// Lines of text files: read in parallel ranges or as they are added, written whole or not at all. Uses the SDK's public surface alone.
export { read, type ReadOptions } from "./read.js";
export { tail, type TailOptions } from "./tail.js";
export { write, type WriteOptions } from "./write.js";
export type { Compression } from "../files/compression.js";
