// The services of the portability API as interfaces without a transport. One interface serves both sides: a server implements it, and
// a client calls it. A unary method gives a promise, a stream of answers is an AsyncIterable, and so is a stream of requests; a
// reader that stops early (`break`, `return()`) ends its stream. Calls fail with a ServiceError.
export type * from "./artifact-retrieval-service.js";
export type * from "./artifact-staging-service.js";
export * from "./call-context.js";
export type * from "./expansion-service.js";
export type * from "./fn-control-service.js";
export type * from "./fn-data-service.js";
export type * from "./fn-logging-service.js";
export type * from "./fn-state-service.js";
export type * from "./fn-worker-pool-service.js";
export type * from "./fn-worker-status-service.js";
export type * from "./job-service.js";
export * from "./message-queue.js";
export type * from "./provision-service.js";
export * from "./sampling-service.js";
export * from "./service-error.js";
