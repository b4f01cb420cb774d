// Beam's job service over gRPC: submission, staging, and following of jobs by SDKs of any language.
export { JobServer, type JobServerOptions } from "./job-server.js";
export { MOST_TASKS } from "./served-parallelism.js";
