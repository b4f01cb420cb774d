// The job service: takes pipelines of any SDK, and runs them on this machine with workers that their SDKs provide.
//
// P1. What cannot run is refused by `prepare`, with INVALID_ARGUMENT and a message for the pipeline's author.
// P2. Jobs stay known after their end, the latest {@link KEPT_JOBS} of them.
import { randomBytes } from "node:crypto";
import { PipelineError } from "../../portability/stage-host/index.js";
import { ServiceError, type JobService } from "../../portability/services/index.js";
import type { beam } from "../../portability/protos/index.js";
import { ARTIFACT_STAGING_SERVICE, GrpcServer, JOB_SERVICE, type ListenOptions } from "../../portability/transport/index.js";
import { checkStages, FnServer, RemoteStageHost } from "../bundles/index.js";
import { checkGroupings, inProcessLauncher, runJob } from "../job/index.js";
import { planPipeline, type Topology } from "../topology/index.js";
import { ArtifactStore } from "./artifact-store.js";
import { logMessage, STATES, stateEvent } from "./job-protos.js";
import { ServedJob } from "./served-job.js";
import { StagingService } from "./staging-service.js";

/** Jobs that are over and still known. */
const KEPT_JOBS = 200;

export interface JobServerOptions extends ListenOptions {
  /** Tasks of each bolt. Default: 1, since one SDK harness does the work of all. */
  readonly parallelism?: number;
  /** How long a worker may take to connect. Default: one minute. */
  readonly connectTimeoutMs?: number;
}

export class JobServer implements JobService {
  private readonly jobs = new Map<string, ServedJob>();
  private readonly server = new GrpcServer();
  private count = 0;

  private constructor(
    private readonly options: JobServerOptions,
    private readonly artifacts: ArtifactStore,
    private readonly staging: StagingService,
    private readonly fnServer: FnServer,
  ) {}

  /** @throws Error if the port cannot be had */
  static async open(options: JobServerOptions = {}): Promise<JobServer> {
    const artifacts = await ArtifactStore.open();
    const fnServer = await FnServer.open({ host: options.host }, (artifact) => artifacts.read(artifact));
    const server = new JobServer(options, artifacts, new StagingService(artifacts), fnServer);
    try {
      await server.server.add(JOB_SERVICE, server).add(ARTIFACT_STAGING_SERVICE, server.staging).listen(options);
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** `host:port` for clients on this machine. */
  get url(): string {
    return this.server.url;
  }

  /** Cancels every job, ends its workers, and takes no more. */
  async close(): Promise<void> {
    await Promise.all([...this.jobs.values()].map((job) => job.cancel()));
    await this.server.close();
    await this.fnServer.close();
    await this.artifacts.close();
  }

  prepare({ pipeline, pipelineOptions, jobName }: beam.job.IPrepareJobRequest): Promise<beam.job.IPrepareJobResponse> {
    const name = jobName || "job";
    this.plan(pipeline ?? {});
    const job = new ServedJob(`${name}-${++this.count}-${randomBytes(4).toString("hex")}`, name, pipeline ?? {}, pipelineOptions);
    this.keep(job);
    const environments = new Map<string, readonly beam.pipeline.IArtifactInformation[]>();
    for (const [id, { dependencies }] of Object.entries(pipeline?.components?.environments ?? {}))
      if (dependencies?.length) environments.set(id, dependencies);
    if (environments.size === 0) return Promise.resolve({ preparationId: job.id });
    const stagingSessionToken = randomBytes(16).toString("base64url");
    this.staging.open(stagingSessionToken, {
      jobId: job.id,
      environments,
      staged: (id, dependencies) => job.dependencies.set(id, dependencies),
    });
    return Promise.resolve({ preparationId: job.id, artifactStagingEndpoint: { url: this.url }, stagingSessionToken });
  }

  run({ preparationId }: beam.job.IRunJobRequest): Promise<beam.job.IRunJobResponse> {
    const served = this.jobOf(preparationId);
    if (served.hasRun) throw new ServiceError("FAILED_PRECONDITION", `job "${served.id}" has been run already`);
    const { options, fnServer } = this;
    const topology = this.plan(served.stagedPipeline());
    const launcher = inProcessLauncher(
      () =>
        new RemoteStageHost({
          jobId: served.id,
          server: fnServer,
          onLog: (entry) => served.said(logMessage(entry)),
          pipelineOptions: served.options,
          connectTimeoutMs: options.connectTimeoutMs,
        }),
    );
    served.follow(runJob(topology, { launcher, jobId: served.id }));
    return Promise.resolve({ jobId: served.id });
  }

  getJobs(): Promise<beam.job.IGetJobsResponse> {
    return Promise.resolve({ jobInfo: [...this.jobs.values()].map((job) => job.info()) });
  }

  getState({ jobId }: beam.job.IGetJobStateRequest): Promise<beam.job.IJobStateEvent> {
    return Promise.resolve(this.jobOf(jobId).states.last ?? stateEvent("STOPPED"));
  }

  getPipeline({ jobId }: beam.job.IGetJobPipelineRequest): Promise<beam.job.IGetJobPipelineResponse> {
    return Promise.resolve({ pipeline: this.jobOf(jobId).pipeline });
  }

  cancel({ jobId }: beam.job.ICancelJobRequest): Promise<beam.job.ICancelJobResponse> {
    const job = this.jobOf(jobId);
    void job.cancel();
    return Promise.resolve({ state: STATES[job.current] });
  }

  drain({ jobId }: beam.job.IDrainJobRequest): Promise<beam.job.IDrainJobResponse> {
    throw new ServiceError("UNIMPLEMENTED", `job "${this.jobOf(jobId).id}" cannot be drained by this runner; cancel it instead`);
  }

  getStateStream({ jobId }: beam.job.IGetJobStateRequest): AsyncIterable<beam.job.IJobStateEvent> {
    return this.jobOf(jobId).states.read(-1);
  }

  getMessageStream({ jobId }: beam.job.IJobMessagesRequest): AsyncIterable<beam.job.IJobMessagesResponse> {
    return this.jobOf(jobId).messages.read();
  }

  getJobMetrics({ jobId }: beam.job.IGetJobMetricsRequest): Promise<beam.job.IGetJobMetricsResponse> {
    return Promise.resolve({ metrics: this.jobOf(jobId).metrics() });
  }

  describePipelineOptions(): Promise<beam.job.IDescribePipelineOptionsResponse> {
    return Promise.resolve({ options: [] });
  }

  /** P1 */
  private plan(pipeline: beam.pipeline.IPipeline): Topology {
    try {
      const topology = planPipeline(pipeline, { parallelism: this.options.parallelism ?? 1 });
      checkGroupings(topology);
      checkStages(topology.components.map(({ stage }) => stage));
      return topology;
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      throw new ServiceError("INVALID_ARGUMENT", error.message, { cause: error });
    }
  }

  private jobOf(id: string | null | undefined): ServedJob {
    const job = this.jobs.get(id ?? "");
    if (job === undefined) throw new ServiceError("NOT_FOUND", `there is no job "${id}"`);
    return job;
  }

  /** P2 */
  private keep(job: ServedJob): void {
    this.jobs.set(job.id, job);
    const over = [...this.jobs.values()].filter(({ isOver }) => isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - KEPT_JOBS))) this.jobs.delete(id);
  }
}
