// One job as clients of the job service see it, from its preparation on.
//
// J1. There is one id for the preparation and for the job, so streams may be opened before the job runs.
// J2. States and messages are told in the order in which they happened; both streams end with a final state.
import { merge } from "rxjs";
import type { beam } from "../../portability/protos/index.js";
import type { Job, JobMessage, JobState } from "../job/index.js";
import { EventLog } from "./event-log.js";
import { messageProto, metricsProto, stateEvent } from "./job-protos.js";

const FINAL: ReadonlySet<JobState> = new Set<JobState>(["DONE", "FAILED", "CANCELLED"]);

export class ServedJob {
  readonly states = new EventLog<beam.job.IJobStateEvent>();
  readonly messages = new EventLog<beam.job.IJobMessagesResponse>();
  /** Staged artifacts, by environment. */
  readonly dependencies = new Map<string, readonly beam.pipeline.IArtifactInformation[]>();
  private state: JobState = "STOPPED";
  private messageCount = 0;
  private job: Job | undefined;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly pipeline: beam.pipeline.IPipeline,
    readonly options: beam.job.IPrepareJobRequest["pipelineOptions"],
  ) {
    this.moved("STOPPED");
  }

  get current(): JobState {
    return this.state;
  }

  get isOver(): boolean {
    return FINAL.has(this.state);
  }

  get hasRun(): boolean {
    return this.job !== undefined || this.isOver;
  }

  /** The pipeline with the artifacts that its workers can fetch. */
  stagedPipeline(): beam.pipeline.IPipeline {
    const { components } = this.pipeline;
    const environments = { ...components?.environments };
    for (const [id, dependencies] of this.dependencies) environments[id] = { ...environments[id], dependencies: [...dependencies] };
    return { ...this.pipeline, components: { ...components, environments } };
  }

  /** Takes over what the runner tells. */
  follow(job: Job): void {
    this.job = job;
    merge(job.state$, job.messages$).subscribe((event) => {
      if (typeof event !== "string") this.said(event);
      else if (event !== this.state) this.moved(event);
    });
  }

  said(message: JobMessage): void {
    this.messages.push({ messageResponse: messageProto(++this.messageCount, message) });
  }

  /** It could not even start. */
  failed(error: unknown): void {
    this.said({ level: "error", text: error instanceof Error ? error.message : String(error), time: Date.now() });
    this.moved("FAILED");
  }

  /** Asks the job to end; resolves when nothing of it runs any more. */
  async cancel(): Promise<void> {
    if (this.job !== undefined) await this.job.cancel();
    else if (!this.isOver) this.moved("CANCELLED");
  }

  metrics(): beam.job.IMetricResults {
    return this.job === undefined ? {} : metricsProto(this.job.metrics);
  }

  info(): beam.job.IJobInfo {
    return { jobId: this.id, jobName: this.name, pipelineOptions: this.options, state: this.states.last?.state };
  }

  private moved(state: JobState): void {
    this.state = state;
    const event = stateEvent(state);
    this.states.push(event);
    this.messages.push({ stateResponse: event });
    if (!this.isOver) return;
    this.states.end();
    this.messages.end();
  }
}
