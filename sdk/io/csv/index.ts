// Comma-separated values: records with named fields. Uses the SDK's public surface alone; csv-parse and csv-stringify know the format.
export { read, type CsvReadOptions } from "./read.js";
export { write, type CsvWriteOptions } from "./write.js";
