import {
  ARTIFACT_RETRIEVAL_SERVICE,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_LOGGING_SERVICE,
  FN_STATE_SERVICE,
  GrpcServer,
  JOB_SERVICE,
  PROVISION_SERVICE,
  type ListenOptions,
} from "../../portability/transport/index.js";
import { FnServices } from "../bundles/index.js";
import type { RuntimeOptions } from "../runtime/index.js";
import { RunnerJobService } from "./runner-job-service.js";

export interface JobServerOptions extends ListenOptions {
  readonly runtime?: Partial<RuntimeOptions>;
}

/** A running job server: Beam's Job service, and what harnesses call, on one port. */
export interface JobServer {
  /** `host:port` */
  readonly url: string;
  /** Cancels all jobs and stops listening. */
  close(): Promise<void>;
}

/** Starts a job server. @throws Error if the port cannot be had */
export async function startJobServer({ runtime, ...listen }: JobServerOptions = {}): Promise<JobServer> {
  const server = new GrpcServer();
  const services = new FnServices();
  // Harnesses are told the address, which is known once the server listens; no call comes before.
  const jobs = new RunnerJobService({
    services,
    get url() {
      return server.url;
    },
    runtime,
  });
  server
    .add(JOB_SERVICE, jobs)
    .add(FN_CONTROL_SERVICE, services)
    .add(FN_DATA_SERVICE, services)
    .add(FN_STATE_SERVICE, services)
    .add(FN_LOGGING_SERVICE, services)
    .add(PROVISION_SERVICE, services)
    .add(ARTIFACT_RETRIEVAL_SERVICE, services);
  await server.listen(listen);
  return {
    url: server.url,
    async close() {
      await jobs.close();
      await server.close();
    },
  };
}
