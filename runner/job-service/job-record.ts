import Long from "long";
import { BehaviorSubject, ReplaySubject } from "rxjs";
import { beam } from "../../portability/protos/index.js";
import type { Job, JobMessage, JobState } from "../job/index.js";

const { Enum } = beam.job.JobState;
const STATE: Readonly<Record<JobState, beam.job.JobState.Enum>> = {
  STOPPED: Enum.STOPPED,
  STARTING: Enum.STARTING,
  RUNNING: Enum.RUNNING,
  DONE: Enum.DONE,
  FAILED: Enum.FAILED,
  CANCELLING: Enum.CANCELLING,
  CANCELLED: Enum.CANCELLED,
};

const { MessageImportance } = beam.job.JobMessage;
const IMPORTANCE: Readonly<Record<JobMessage["level"], beam.job.JobMessage.MessageImportance>> = {
  debug: MessageImportance.JOB_MESSAGE_DEBUG,
  info: MessageImportance.JOB_MESSAGE_BASIC,
  warn: MessageImportance.JOB_MESSAGE_WARNING,
  error: MessageImportance.JOB_MESSAGE_ERROR,
};

const KEPT_EVENTS = 1000;

/** A pipeline that was submitted: what its clients may ask about before, while and after it runs. */
export class JobRecord {
  /** The state now, and each change; ends with the job. */
  readonly states = new BehaviorSubject<beam.job.IJobStateEvent>(stateEvent("STOPPED"));
  /** Messages and changes of state in their order, those before included. */
  readonly events = new ReplaySubject<beam.job.IJobMessagesResponse>(KEPT_EVENTS);
  job: Job | undefined;
  private messages = 0;

  constructor(
    readonly id: string,
    readonly request: beam.job.IPrepareJobRequest,
  ) {
    this.states.subscribe({ next: (stateResponse) => this.events.next({ stateResponse }), complete: () => this.events.complete() });
  }

  get isOver(): boolean {
    return this.states.closed || this.job?.state === "DONE" || this.job?.state === "FAILED" || this.job?.state === "CANCELLED";
  }

  /** Follows the job that runs the pipeline. */
  follow(job: Job): void {
    this.job = job;
    job.messages$.subscribe((message) => this.say(message));
    job.state$.subscribe({
      next: (state) => {
        if (state !== "STOPPED") this.states.next(stateEvent(state));
      },
      complete: () => this.states.complete(),
    });
  }

  say({ level, text, time }: JobMessage): void {
    const messageId = `${++this.messages}`;
    const messageResponse = { messageId, time: new Date(time).toISOString(), importance: IMPORTANCE[level], messageText: text };
    this.events.next({ messageResponse });
  }
}

function stateEvent(state: JobState): beam.job.IJobStateEvent {
  const now = Date.now();
  return { state: STATE[state], timestamp: { seconds: Long.fromNumber(Math.floor(now / 1000)), nanos: (now % 1000) * 1e6 } };
}
