import type { Observable } from "rxjs";
import { metricToMonitoringInfo } from "../../portability/metrics/index.js";
import { beam } from "../../portability/protos/index.js";
import { MessageQueue, ServiceError, type JobService } from "../../portability/services/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { METRIC, METRIC_LABEL, METRIC_TYPE } from "../../portability/urns/index.js";
import { ByteWriter } from "../../portability/coders/index.js";
import { ExternalPool, externalEndpoint, RemoteHost, type FnServices } from "../bundles/index.js";
import { inProcessLauncher, runJob, type JobMetrics } from "../job/index.js";
import type { RuntimeOptions } from "../runtime/index.js";
import { planPipeline, type Topology } from "../topology/index.js";
import { JobRecord } from "./job-record.js";

/** Jobs that are remembered after their end; the oldest are forgotten first. */
const REMEMBERED = 100;

export interface RunnerJobServiceParts {
  /** What harnesses call, and where. */
  readonly services: FnServices;
  readonly url: string;
  readonly runtime?: Partial<RuntimeOptions>;
}

/**
 * Beam's Job service in front of this runner: pipelines of any SDK whose environments are external, LOOPBACK among them.
 *
 * A job has the id of its preparation. Artifacts are not staged yet: such environments have their own.
 */
export class RunnerJobService implements JobService {
  private readonly records = new Map<string, JobRecord>();
  private count = 0;

  constructor(private readonly parts: RunnerJobServiceParts) {}

  // async, so that what is thrown becomes the call's failure
  // eslint-disable-next-line require-await
  async prepare(request: beam.job.IPrepareJobRequest): Promise<beam.job.IPrepareJobResponse> {
    this.plan(request);
    const id = `job-${String(++this.count).padStart(3, "0")}`;
    this.forgetOldest();
    this.records.set(id, new JobRecord(id, request));
    return { preparationId: id };
  }

  // eslint-disable-next-line require-await
  async run({ preparationId }: beam.job.IRunJobRequest): Promise<beam.job.IRunJobResponse> {
    const record = this.recordOf(preparationId);
    if (record.job !== undefined) throw new ServiceError("FAILED_PRECONDITION", `job ${record.id} has been run already`);
    const topology = this.plan(record.request);
    const { services, url, runtime } = this.parts;
    const pool = new ExternalPool({
      job: record.id,
      environments: record.request.pipeline?.components?.environments ?? {},
      options: record.request.pipelineOptions,
      services,
      url,
      onLog: ({ severity, message }) => {
        if ((severity ?? 0) >= beam.fn.LogEntry.Severity.Enum.WARN) record.say({ level: "warn", text: message ?? "", time: Date.now() });
      },
    });
    record.follow(runJob(topology, { launcher: inProcessLauncher(() => new RemoteHost(pool)), runtime, jobId: record.id }));
    return { jobId: record.id };
  }

  getJobs(): Promise<beam.job.IGetJobsResponse> {
    const jobInfo = [...this.records.values()].map(({ id, request, states }) => ({
      jobId: id,
      jobName: request.jobName,
      pipelineOptions: request.pipelineOptions,
      state: states.value.state,
    }));
    return Promise.resolve({ jobInfo });
  }

  // eslint-disable-next-line require-await
  async getState({ jobId }: beam.job.IGetJobStateRequest): Promise<beam.job.IJobStateEvent> {
    return this.recordOf(jobId).states.value;
  }

  // eslint-disable-next-line require-await
  async getPipeline({ jobId }: beam.job.IGetJobPipelineRequest): Promise<beam.job.IGetJobPipelineResponse> {
    return { pipeline: this.recordOf(jobId).request.pipeline };
  }

  // eslint-disable-next-line require-await
  async cancel({ jobId }: beam.job.ICancelJobRequest): Promise<beam.job.ICancelJobResponse> {
    const record = this.recordOf(jobId);
    void record.job?.cancel();
    return { state: record.states.value.state };
  }

  drain(): Promise<beam.job.IDrainJobResponse> {
    return Promise.reject(new ServiceError("UNIMPLEMENTED", "jobs cannot be drained yet; cancel them"));
  }

  getStateStream({ jobId }: beam.job.IGetJobStateRequest): AsyncIterable<beam.job.IJobStateEvent> {
    return streamOf(this.recordOf(jobId).states);
  }

  getMessageStream({ jobId }: beam.job.IJobMessagesRequest): AsyncIterable<beam.job.IJobMessagesResponse> {
    return streamOf(this.recordOf(jobId).events);
  }

  // eslint-disable-next-line require-await
  async getJobMetrics({ jobId }: beam.job.IGetJobMetricsRequest): Promise<beam.job.IGetJobMetricsResponse> {
    const metrics = this.recordOf(jobId).job?.metrics;
    const attempted = metrics === undefined ? [] : monitoringInfosOf(metrics);
    return { metrics: { attempted, committed: attempted } };
  }

  describePipelineOptions(): Promise<beam.job.IDescribePipelineOptionsResponse> {
    return Promise.resolve({ options: [] });
  }

  /** Ends all jobs. */
  async close(): Promise<void> {
    await Promise.all([...this.records.values()].map(async ({ job }) => await job?.cancel()));
  }

  /** @throws ServiceError INVALID_ARGUMENT for a pipeline that cannot run here; its message says why */
  private plan({ pipeline }: beam.job.IPrepareJobRequest): Topology {
    try {
      const topology = planPipeline(pipeline ?? {}, { parallelism: 1 });
      for (const { stage } of topology.components)
        externalEndpoint(stage.environmentId, stage.components.environments?.[stage.environmentId]);
      return topology;
    } catch (error) {
      if (error instanceof PipelineError) throw new ServiceError("INVALID_ARGUMENT", error.message, { cause: error });
      throw error;
    }
  }

  private recordOf(id: string | null | undefined): JobRecord {
    const record = this.records.get(id ?? "");
    if (record === undefined) throw new ServiceError("NOT_FOUND", `there is no job "${id}"`);
    return record;
  }

  private forgetOldest(): void {
    for (const [id, record] of this.records) {
      if (this.records.size < REMEMBERED) return;
      if (record.isOver) this.records.delete(id);
    }
  }
}

function streamOf<T>(source: Observable<T>): AsyncIterable<T> {
  const queue = new MessageQueue<T>(undefined, () => subscription.unsubscribe());
  const subscription = source.subscribe({ next: (value) => queue.push(value), complete: () => queue.end() });
  return queue;
}

function monitoringInfosOf({ elements, user }: JobMetrics): beam.pipeline.IMonitoringInfo[] {
  const writer = new ByteWriter();
  const counts = [...elements].map(([pcollection, count]): beam.pipeline.IMonitoringInfo => {
    writer.reset();
    writer.writeVarint(count);
    return {
      urn: METRIC.ELEMENT_COUNT,
      type: METRIC_TYPE.SUM_INT64_TYPE,
      payload: writer.view().slice(),
      labels: { [METRIC_LABEL.PCOLLECTION]: pcollection },
    };
  });
  return [...counts, ...user.map(metricToMonitoringInfo)];
}
