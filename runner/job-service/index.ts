// Beam's Job service in front of the runner, over gRPC.
export { startJobServer, type JobServer, type JobServerOptions } from "./job-server.js";
