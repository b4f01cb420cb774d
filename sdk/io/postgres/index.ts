// PostgreSQL: rows that are written exactly once. Uses the SDK's public surface alone; the client, pg, is loaded when first needed.
export type { PostgresConnection } from "./client.js";
export { write, type PostgresWriteOptions } from "./write.js";
