// The job service: takes pipelines of any SDK, and runs them on this machine with workers that their SDKs provide.
//
// P1. What cannot run is refused by `prepare`, with INVALID_ARGUMENT and a message for the pipeline's author.
// P2. What clients can have a server keep is bounded (job-registry.ts, artifact-store.ts, event-log.ts).
// P3. A job does not need its client: one that goes leaves nothing behind, except a job that can still run.
// P4. Of the jobs with checkpoints of one name one runs at a time.
import { randomBytes } from "node:crypto";
import { PipelineError } from "../../portability/stage-host/index.js";
import {
  JOB_ID_METADATA,
  ServiceError,
  type CallContext,
  type JobService,
  type SamplingService,
} from "../../portability/services/index.js";
import type { beam } from "../../portability/protos/index.js";
import {
  ARTIFACT_STAGING_SERVICE,
  GrpcServer,
  isLoopback,
  JOB_SERVICE,
  SAMPLING_SERVICE,
  type ListenOptions,
} from "../../portability/transport/index.js";
import { checkEnvironments, checkStages, FnServer, RemoteStageHost } from "../bundles/index.js";
import { checkGroupings, inProcessLauncher, runJob, type JobMessage, type JobState } from "../job/index.js";
import { planPipeline, type Topology } from "../topology/index.js";
import { ArtifactStore, type ArtifactLimits } from "./artifact-store.js";
import { JobRegistry, type JobLimits } from "./job-registry.js";
import { logMessage, STATES } from "./job-protos.js";
import { CHECKPOINT_OPTIONS, checkpointNameOf, checkpointsOf, type ServerCheckpoints } from "./served-checkpoints.js";
import { parallelismOf } from "./served-parallelism.js";
import { ServedJob } from "./served-job.js";
import { StagingService } from "./staging-service.js";

/** Greatest size of a pipeline, or of a chunk of a file. */
const MAX_MESSAGE_BYTES = 128 << 20;
/** Calls that a connection may have open. */
const MAX_STREAMS = 256;

export interface JobServerOptions extends ListenOptions {
  /** Tasks of each bolt, where pipelines do not say by the option `parallelism`. Default: 1, since one SDK harness does the work of all. */
  readonly parallelism?: number;
  /** How long a worker may take to connect. Default: one minute. */
  readonly connectTimeoutMs?: number;
  /** How long a worker with work to do may say nothing, not even when it is asked, before it is given up. Default: three minutes. */
  readonly silenceMs?: number;
  /** Whether other machines may use it, though nobody has to show who he is: anybody who reaches it can have it run commands. */
  readonly unauthenticated?: boolean;
  /** Where jobs keep checkpoints that want any. */
  readonly checkpoints?: ServerCheckpoints | undefined;
  /** What clients may have it keep. */
  readonly limits?: Partial<JobLimits & ArtifactLimits>;
  /** Told what happens to jobs. */
  readonly onEvent?: (jobId: string, event: JobMessage | JobState) => void;
}

export class JobServer implements JobService, SamplingService {
  private readonly jobs: JobRegistry;
  private readonly server = new GrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, maxStreams: MAX_STREAMS });
  private count = 0;

  private constructor(
    private readonly options: JobServerOptions,
    private readonly artifacts: ArtifactStore,
    private readonly staging: StagingService,
    private readonly fnServer: FnServer,
  ) {
    this.jobs = new JobRegistry(options.limits);
  }

  /** @throws Error if the port cannot be had, or if it would be open to other machines and that is not wanted expressly */
  static async open(options: JobServerOptions = {}): Promise<JobServer> {
    const { host = "127.0.0.1", unauthenticated = false } = options;
    if (!unauthenticated && !isLoopback(host))
      throw new Error(
        `at ${host} other machines could reach the job server, and Beam's SDKs have no way to say who they are: whoever submits a job can ` +
          "run commands here; listen on 127.0.0.1 and let others in by a tunnel, or say that it is meant: --unauthenticated",
      );
    const artifacts = ArtifactStore.open(options.limits);
    let fnServer: FnServer | undefined;
    let server: JobServer | undefined;
    try {
      fnServer = await FnServer.open({ host }, (artifact) => artifacts.read(artifact));
      server = new JobServer(options, artifacts, new StagingService(artifacts), fnServer);
      await server.server
        .add(JOB_SERVICE, server)
        .add(SAMPLING_SERVICE, server)
        .add(ARTIFACT_STAGING_SERVICE, server.staging)
        .listen(options);
      return server;
    } catch (error) {
      await fnServer?.close();
      await artifacts.close();
      throw error;
    }
  }

  /** `host:port` for clients on this machine. */
  get url(): string {
    return this.server.url;
  }

  /** Cancels every job, ends its workers, and takes no more. */
  async close(): Promise<void> {
    await Promise.all(this.jobs.all.map((job) => job.cancel()));
    await this.server.close();
    await this.fnServer.close();
    await this.artifacts.close();
  }

  async prepare({ pipeline, pipelineOptions, jobName }: beam.job.IPrepareJobRequest): Promise<beam.job.IPrepareJobResponse> {
    const name = (jobName || "job").slice(0, 200);
    await checkEnvironments(this.plan(pipeline ?? {}, pipelineOptions).components.map(({ stage }) => stage)).catch(refused);
    this.checkpointsOf(pipeline ?? {}, pipelineOptions);
    const id = `${name.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 60)}-${++this.count}-${randomBytes(4).toString("hex")}`;
    const job = new ServedJob(id, name, pipeline ?? {}, pipelineOptions, {
      said: (message) => this.options.onEvent?.(id, message),
      moved: (state) => this.moved(id, state),
    });
    this.jobs.add(job);
    const environments = new Map<string, readonly beam.pipeline.IArtifactInformation[]>();
    for (const [environmentId, { dependencies }] of Object.entries(pipeline?.components?.environments ?? {}))
      if (dependencies?.length) environments.set(environmentId, dependencies);
    if (environments.size === 0) return { preparationId: id };
    const stagingSessionToken = randomBytes(16).toString("base64url");
    this.staging.open(stagingSessionToken, {
      jobId: id,
      environments,
      staged: (environmentId, dependencies) => job.dependencies.set(environmentId, dependencies),
      failed: (error) => job.failed(new Error(`its files could not be staged: ${error.message}`, { cause: error })),
    });
    return { preparationId: id, artifactStagingEndpoint: { url: this.url }, stagingSessionToken };
  }

  run({ preparationId }: beam.job.IRunJobRequest): Promise<beam.job.IRunJobResponse> {
    const served = this.jobs.get(preparationId);
    served.follow(() => {
      this.jobs.checkRoomToRun();
      const { options, fnServer } = this;
      const pipeline = served.stagedPipeline();
      const topology = this.plan(pipeline, served.options);
      const transforms = pipeline.components?.transforms ?? {};
      const checkpoints = this.checkpointsOf(served.pipeline, served.options);
      const launcher = inProcessLauncher(() => {
        const host = new RemoteStageHost({
          jobId: served.id,
          server: fnServer,
          onLog: (entry) => served.logged(logMessage(entry, transforms)),
          pipelineOptions: served.options,
          connectTimeoutMs: options.connectTimeoutMs,
          silenceMs: options.silenceMs,
          onProcessMetrics: (workerId, infos) => served.harnessMetrics.told(workerId, infos),
        });
        served.askForSamples = (ids) => host.samples(ids);
        return host;
      });
      return runJob(topology, { launcher, jobId: served.id, startsDrained: served.startsDrained, checkpoints });
    });
    return Promise.resolve({ jobId: served.id });
  }

  getJobs(): Promise<beam.job.IGetJobsResponse> {
    return Promise.resolve({ jobInfo: this.jobs.all.map((job) => job.info()) });
  }

  getState({ jobId }: beam.job.IGetJobStateRequest): Promise<beam.job.IJobStateEvent> {
    return Promise.resolve(this.jobs.get(jobId).states.last!);
  }

  getPipeline({ jobId }: beam.job.IGetJobPipelineRequest): Promise<beam.job.IGetJobPipelineResponse> {
    return Promise.resolve({ pipeline: this.jobs.get(jobId).pipeline });
  }

  cancel({ jobId }: beam.job.ICancelJobRequest): Promise<beam.job.ICancelJobResponse> {
    const job = this.jobs.get(jobId);
    void job.cancel();
    return Promise.resolve({ state: STATES[job.current] });
  }

  drain({ jobId }: beam.job.IDrainJobRequest): Promise<beam.job.IDrainJobResponse> {
    const job = this.jobs.get(jobId);
    if (!job.drain()) throw new ServiceError("FAILED_PRECONDITION", `job "${job.id}" does not run yet; cancel it instead`);
    return Promise.resolve({ state: STATES[job.current] });
  }

  getStateStream({ jobId }: beam.job.IGetJobStateRequest): AsyncIterable<beam.job.IJobStateEvent> {
    return this.jobs.get(jobId).states.readLast();
  }

  getMessageStream({ jobId }: beam.job.IJobMessagesRequest): AsyncIterable<beam.job.IJobMessagesResponse> {
    return this.jobs.get(jobId).messages.read();
  }

  getJobMetrics({ jobId }: beam.job.IGetJobMetricsRequest): Promise<beam.job.IGetJobMetricsResponse> {
    return Promise.resolve({ metrics: this.jobs.get(jobId).metrics() });
  }

  /** Our own service (SamplingService). */
  sampleData({ pcollectionIds }: beam.fn.ISampleDataRequest, { metadata }: CallContext): Promise<beam.fn.ISampleDataResponse> {
    return this.jobs.get(metadata.get(JOB_ID_METADATA)).samples(pcollectionIds ?? []);
  }

  describePipelineOptions(): Promise<beam.job.IDescribePipelineOptionsResponse> {
    return Promise.resolve({ options: this.options.checkpoints === undefined ? [] : [...CHECKPOINT_OPTIONS] });
  }

  /** P1 */
  private plan(pipeline: beam.pipeline.IPipeline, options: beam.job.IPrepareJobRequest["pipelineOptions"]): Topology {
    try {
      const parallelism = parallelismOf(options, this.options.parallelism ?? 1);
      // What is gone on with from a checkpoint may have more tasks then.
      const joinsState = parallelism === 1 && checkpointsOf(pipeline, options, this.options.checkpoints) === undefined;
      const topology = planPipeline(pipeline, { parallelism, joinsState });
      checkGroupings(topology);
      checkStages(topology.components.map(({ stage }) => stage));
      return topology;
    } catch (error) {
      return refused(error);
    }
  }

  /** P1, P4 */
  private checkpointsOf(pipeline: beam.pipeline.IPipeline, options: beam.job.IPrepareJobRequest["pipelineOptions"]) {
    try {
      const checkpoints = checkpointsOf(pipeline, options, this.options.checkpoints);
      const name = checkpointNameOf(options);
      const other = this.jobs.all.find((job) => name !== undefined && job.isRunning && checkpointNameOf(job.options) === name);
      if (other === undefined) return checkpoints;
      throw new ServiceError("FAILED_PRECONDITION", `job "${other.id}" runs with the checkpoints of "${name}"; cancel it first`);
    } catch (error) {
      return refused(error);
    }
  }

  private moved(id: string, state: JobState): void {
    this.options.onEvent?.(id, state);
    if (!this.jobs.all.some((job) => job.id === id && job.isOver)) return;
    this.staging.close(id);
    void this.artifacts.release(id).catch(() => {}); // goes with the server at the latest
    this.jobs.forget();
  }
}

/** P1 */
function refused(error: unknown): never {
  if (!(error instanceof PipelineError)) throw error;
  throw new ServiceError("INVALID_ARGUMENT", error.message, { cause: error });
}
