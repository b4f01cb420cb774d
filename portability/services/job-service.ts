// Submitting pipelines and following their jobs: the service of a runner, called by SDKs.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/**
 * `org.apache.beam.model.job_management.v1.JobService`.
 *
 * A job is prepared, then its artifacts are staged, then it is run. A service may take one id for the preparation and for the job;
 * the streams accept the preparation's id too, for clients that open them before `run`. A method that is given an unknown id fails
 * with NOT_FOUND. DONE, FAILED, CANCELLED, UPDATED and DRAINED are final: a job never leaves them, and stays known after its end.
 */
export interface JobService {
  /**
   * Validates a pipeline and keeps it. A requirement or a leaf transform that the runner does not know is refused with
   * INVALID_ARGUMENT, and the message names it. Without an `artifactStagingEndpoint` in the answer nothing has to be staged.
   */
  prepare(request: beam.job.IPrepareJobRequest, context: CallContext): Promise<beam.job.IPrepareJobResponse>;

  /** Starts a prepared pipeline. The answer does not wait for the job to run. */
  run(request: beam.job.IRunJobRequest, context: CallContext): Promise<beam.job.IRunJobResponse>;

  /** All jobs that the service remembers, in no particular order. */
  getJobs(request: beam.job.IGetJobsRequest, context: CallContext): Promise<beam.job.IGetJobsResponse>;

  /** The state now. */
  getState(request: beam.job.IGetJobStateRequest, context: CallContext): Promise<beam.job.IJobStateEvent>;

  /** The pipeline as it was submitted, unknown fields included. */
  getPipeline(request: beam.job.IGetJobPipelineRequest, context: CallContext): Promise<beam.job.IGetJobPipelineResponse>;

  /** Ends a job and its workers at once, and answers with the state that follows; a job in a final state keeps it. */
  cancel(request: beam.job.ICancelJobRequest, context: CallContext): Promise<beam.job.ICancelJobResponse>;

  /** Ends the job's input and lets it finish what it has read. A runner that cannot do so fails with UNIMPLEMENTED. */
  drain(request: beam.job.IDrainJobRequest, context: CallContext): Promise<beam.job.IDrainJobResponse>;

  /** The state at once, then each change in order; the stream ends after a final state. */
  getStateStream(request: beam.job.IGetJobStateRequest, context: CallContext): AsyncIterable<beam.job.IJobStateEvent>;

  /** Messages and changes of state in the order in which they happened; the stream ends after a final state. */
  getMessageStream(request: beam.job.IJobMessagesRequest, context: CallContext): AsyncIterable<beam.job.IJobMessagesResponse>;

  /** Metrics so far, complete after the end. Each carries its type and labels in full: short ids are not used here. */
  getJobMetrics(request: beam.job.IGetJobMetricsRequest, context: CallContext): Promise<beam.job.IGetJobMetricsResponse>;

  /** The options that the runner takes. Python's client asks before anything else; an empty list is an answer. */
  describePipelineOptions(
    request: beam.job.IDescribePipelineOptionsRequest,
    context: CallContext,
  ): Promise<beam.job.IDescribePipelineOptionsResponse>;
}
