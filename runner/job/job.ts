import { BehaviorSubject, ReplaySubject, type Observable } from "rxjs";
import { CancelledError } from "../../portability/stage-host/index.js";
import { NO_METRICS, type JobMetrics } from "./job-metrics.js";

/** Where a job is in its life (Beam's `JobState`). */
export type JobState = "STOPPED" | "STARTING" | "RUNNING" | "DONE" | "FAILED" | "CANCELLING" | "CANCELLED" | "DRAINING" | "DRAINED";

/** The lawful moves; there are no others. */
const NEXT = {
  STOPPED: ["STARTING", "CANCELLING"],
  STARTING: ["RUNNING", "FAILED", "CANCELLING"],
  RUNNING: ["DONE", "FAILED", "CANCELLING", "DRAINING"],
  CANCELLING: ["CANCELLED", "FAILED"],
  DONE: [],
  FAILED: [],
  CANCELLED: [],
  DRAINING: ["DRAINED", "FAILED", "CANCELLING"],
  DRAINED: [],
} as const satisfies Record<JobState, readonly JobState[]>;

/** Something that a job has to say to its user. */
export interface JobMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Who leads the job's workers. */
export interface JobLeader {
  /** Asked at most once, to stop all that runs; {@link Job.finish} follows. */
  cancel(): void;
  /** Asked to end the sources; at any time, as often as anybody likes. */
  drain(): void;
}

/** Greatest number of messages that are kept for those who ask later. */
const KEPT_MESSAGES = 1000;

/**
 * A submitted job, as its user sees it: values and streams of its state, messages and metrics, its result, `cancel` and `drain`.
 *
 * - J1. State moves only along `NEXT`; `state$` starts with the current state, and all streams complete with the job.
 * - J2. In a final state nothing of the job runs any more.
 *
 * @example
 * ```ts
 * const job = runJob(planned, { launcher: inProcessLauncher(() => host) });
 * job.state$.subscribe((state) => console.log(state));
 * await job.result;
 * ```
 */
export class Job {
  /** Resolves with the last metrics when the job is done, or drained. Rejects with the first error, or with CancelledError. */
  readonly result: Promise<JobMetrics>;
  private readonly states = new BehaviorSubject<JobState>("STOPPED");
  private readonly said = new ReplaySubject<JobMessage>(KEPT_MESSAGES);
  private readonly kept: JobMessage[] = [];
  private readonly measured = new BehaviorSubject<JobMetrics>(NO_METRICS);
  private settle!: { resolve(metrics: JobMetrics): void; reject(error: unknown): void };

  constructor(
    readonly id: string,
    private readonly leader: JobLeader,
  ) {
    this.result = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.result.catch(() => {}); // who does not await the result hears of a failure by the state
  }

  get state(): JobState {
    return this.states.value;
  }
  get state$(): Observable<JobState> {
    return this.states.asObservable();
  }
  /** The messages so far, the last `KEPT_MESSAGES` of them. */
  get messages(): readonly JobMessage[] {
    return this.kept;
  }
  /** The messages so far and those to come. */
  get messages$(): Observable<JobMessage> {
    return this.said.asObservable();
  }
  get metrics(): JobMetrics {
    return this.measured.value;
  }
  get metrics$(): Observable<JobMetrics> {
    return this.measured.asObservable();
  }

  /** Stops the job; resolves when nothing of it runs any more. Does nothing to a job that has ended. */
  async cancel(): Promise<void> {
    if (canMove(this.state, "CANCELLING")) {
      this.move("CANCELLING");
      this.leader.cancel();
    }
    await this.result.catch(() => {});
  }

  /**
   * Has the job end as soon as it can be complete: sources take nothing more, what was read is processed, windows close and timers fire as at
   * the end of bounded input. It may be asked for before the job runs; a bounded source goes on to its end. Resolves when nothing of the job runs any
   * more, however it ended; does nothing to one that has ended.
   */
  async drain(): Promise<void> {
    this.leader.drain();
    await this.result.catch(() => {});
  }

  /** @internal For the coordinator. */
  move(state: JobState): void {
    if (!canMove(this.state, state)) throw new Error(`a job that is ${this.state} cannot become ${state}`);
    this.states.next(state);
  }

  /** @internal For the coordinator. */
  say(level: JobMessage["level"], text: string): void {
    const message = { level, text, time: Date.now() };
    if (this.kept.push(message) > KEPT_MESSAGES) this.kept.shift();
    this.said.next(message);
  }

  /** @internal For the coordinator. */
  measure(metrics: JobMetrics): void {
    this.measured.next(metrics);
  }

  /** @internal For the coordinator: the job ends in this state; FAILED comes with its error. DONE is DRAINED for a job that is draining. */
  finish(state: "DONE" | "FAILED" | "CANCELLED", error?: unknown): void {
    this.move(state === "DONE" && this.state === "DRAINING" ? "DRAINED" : state);
    if (state === "DONE") this.settle.resolve(this.metrics);
    else this.settle.reject(state === "FAILED" ? error : new CancelledError(`job ${this.id} was cancelled`));
    this.states.complete();
    this.said.complete();
    this.measured.complete();
  }
}

function canMove(from: JobState, to: JobState): boolean {
  return (NEXT[from] as readonly JobState[]).includes(to);
}
