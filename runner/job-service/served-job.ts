// One job as clients of the job service see it, from its preparation on.
//
// J1. There is one id for the preparation and for the job, so streams may be opened before the job runs.
// J2. States and messages are told in the order in which they happened; both streams end with a final state.
// J3. What a worker logs is a message of the job, unless it is an echo: a worker in the client's own process may log all that the client prints,
//     the messages of the job among it.
// J4. What it keeps is bounded while it runs, and little of that is left when it is over; of what ran nothing is.
import { merge } from "rxjs";
import { beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";
import type { Job, JobMessage, JobState } from "../job/index.js";
import { EventLog } from "./event-log.js";
import { HarnessMetrics } from "./harness-metrics.js";
import { messageProto, metricsProto, stateEvent } from "./job-protos.js";
import { experimentsOf } from "./pipeline-options.js";

/** Bytes of messages that are kept of a job, and of one that is over. */
const MESSAGE_BYTES = 4 << 20;
const MESSAGE_BYTES_OVER = 256 << 10;
/** A longer message is cut. */
const LONGEST_MESSAGE = 64 << 10;
const STATE_BYTES = 4096;

const FINAL: ReadonlySet<JobState> = new Set<JobState>(["DONE", "FAILED", "CANCELLED", "DRAINED"]);

/** Experiments by which Beam's SDKs are told to keep samples of elements, or of those that fail. */
const SAMPLING: ReadonlySet<string> = new Set(["enable_data_sampling", "enable_always_on_exception_sampling"]);

/** Who wants to hear of a job besides its clients. */
export interface ServedJobListener {
  said?(message: JobMessage): void;
  moved?(state: JobState): void;
}

export class ServedJob {
  readonly states = new EventLog<beam.job.IJobStateEvent>(STATE_BYTES);
  readonly messages = new EventLog<beam.job.IJobMessagesResponse>(MESSAGE_BYTES, (count) => this.notKept(count));
  /** Staged artifacts, by environment. */
  readonly dependencies = new Map<string, readonly beam.pipeline.IArtifactInformation[]>();
  private state: JobState = "STOPPED";
  private messageCount = 0;
  private job: Job | undefined;
  private started = false;
  private measuredBytes: number | undefined;
  /** What its workers have counted as processes. */
  harnessMetrics = new HarnessMetrics();
  /** Asks its workers for samples of elements; undefined while it does not run, and undefined is their answer if none can. */
  askForSamples: ((pcollectionIds: readonly string[]) => Promise<beam.fn.ISampleDataResponse | undefined>) | undefined;
  private lastMetrics: beam.job.IMetricResults = {};

  constructor(
    readonly id: string,
    readonly name: string,
    readonly pipeline: beam.pipeline.IPipeline,
    readonly options: beam.job.IPrepareJobRequest["pipelineOptions"],
    private readonly listener: ServedJobListener = {},
  ) {
    this.moved("STOPPED");
  }

  get current(): JobState {
    return this.state;
  }

  get isOver(): boolean {
    return FINAL.has(this.state);
  }

  get isRunning(): boolean {
    return this.started && !this.isOver;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.pipelineBytes + this.messages.bytes;
  }

  private get pipelineBytes(): number {
    return (this.measuredBytes ??= beam.pipeline.Pipeline.encode(this.pipeline).finish().length);
  }

  /** By this a client that prints a message is known to have it from here (J3). */
  private get messageIdPrefix(): string {
    return `${this.id}/message-`;
  }

  /** The pipeline with the artifacts that its workers can fetch. */
  stagedPipeline(): beam.pipeline.IPipeline {
    const { components } = this.pipeline;
    const environments = { ...components?.environments };
    for (const [id, dependencies] of this.dependencies) environments[id] = { ...environments[id], dependencies: [...dependencies] };
    return { ...this.pipeline, components: { ...components, environments } };
  }

  /** Takes over what the runner tells. @throws ServiceError FAILED_PRECONDITION if it has run, or will not */
  follow(start: () => Job): void {
    if (this.started || this.isOver)
      throw new ServiceError("FAILED_PRECONDITION", `job "${this.id}" is ${this.state} already; prepare it again`);
    const job = (this.job = start());
    this.started = true;
    merge(job.state$, job.messages$).subscribe((event) => {
      if (typeof event !== "string") this.said(event);
      else if (event !== this.state) this.moved(event);
    });
  }

  /** J3 */
  logged(message: JobMessage): void {
    if (!message.text.includes(this.messageIdPrefix)) this.said(message);
  }

  said(message: JobMessage): void {
    const { text } = message;
    const cut =
      text.length <= LONGEST_MESSAGE ? message : { ...message, text: `${text.slice(0, LONGEST_MESSAGE)}… (${text.length} characters)` };
    this.messages.push({ messageResponse: messageProto(`${this.messageIdPrefix}${++this.messageCount}`, cut) }, 2 * cut.text.length);
    this.listener.said?.(cut);
  }

  /** Stands for messages that were forgotten before somebody has read them. */
  private notKept(count: number): beam.job.IJobMessagesResponse {
    const text = `${count} earlier messages are not kept any more`;
    return { messageResponse: messageProto(`${this.messageIdPrefix}0`, { level: "warn", text, time: Date.now() }) };
  }

  /** It could not even start. */
  failed(error: unknown): void {
    if (this.isOver) return;
    this.said({ level: "error", text: error instanceof Error ? error.message : String(error), time: Date.now() });
    this.moved("FAILED");
  }

  /** Asks the job to end; resolves when nothing of it runs any more. */
  async cancel(): Promise<void> {
    if (this.job !== undefined) await this.job.cancel();
    else if (!this.isOver && !this.started) this.moved("CANCELLED");
  }

  /** Asks the job to end its sources; false if it does not run yet. */
  drain(): boolean {
    if (this.job === undefined) return this.isOver;
    void this.job.drain();
    return true;
  }

  /** Whether the client wants it to start with its sources drained: Beam's experiment `drain`. */
  get startsDrained(): boolean {
    return experimentsOf(this.options).includes("drain");
  }

  metrics(): beam.job.IMetricResults {
    return this.job === undefined ? this.lastMetrics : metricsProto(this.job.metrics, this.harnessMetrics.all);
  }

  /** Elements that its workers have kept as samples. @throws ServiceError FAILED_PRECONDITION where there are none to be had */
  async samples(pcollectionIds: readonly string[]): Promise<beam.fn.ISampleDataResponse> {
    const refuse = (why: string): never => {
      throw new ServiceError("FAILED_PRECONDITION", why);
    };
    if (!experimentsOf(this.options).some((name) => SAMPLING.has(name)))
      refuse(`workers of job "${this.id}" keep no samples; submit it with the option --experiments=enable_data_sampling`);
    if (this.askForSamples === undefined)
      return refuse(`job "${this.id}" is ${this.state}, and samples are with workers of a job that runs`);
    const samples = await this.askForSamples(pcollectionIds);
    return samples ?? refuse(`workers of job "${this.id}" do not say that they can keep samples`);
  }

  info(): beam.job.IJobInfo {
    return { jobId: this.id, jobName: this.name, pipelineOptions: this.options, state: this.states.last?.state };
  }

  private moved(state: JobState): void {
    this.state = state;
    const event = stateEvent(state);
    this.states.push(event);
    this.messages.push({ stateResponse: event });
    if (this.isOver) this.ended();
    this.listener.moved?.(state);
  }

  /** J4 */
  private ended(): void {
    this.states.end();
    this.messages.end();
    this.messages.shrink(MESSAGE_BYTES_OVER);
    this.lastMetrics = this.metrics();
    this.job = undefined;
    this.askForSamples = undefined;
    this.harnessMetrics = new HarnessMetrics();
  }
}
