import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** Key of the metadata that names the job in calls of {@link SamplingService}. */
export const JOB_ID_METADATA = "job_id";

/**
 * `beamstorm.v1.Sampling`, offered by the job server beside Beam's services: what a runner asks of a worker, asked of a job. Beam's job service has
 * nothing of the kind.
 */
export interface SamplingService {
  /** Elements that workers of the running job have kept as samples since they were asked last; of all PCollections if none is named. */
  sampleData(request: beam.fn.ISampleDataRequest, context: CallContext): Promise<beam.fn.ISampleDataResponse>;
}
