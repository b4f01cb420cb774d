import { BehaviorSubject, ReplaySubject, type Observable } from "rxjs";
import { CancelledError } from "../../portability/stage-host/index.js";
import { NO_METRICS, type JobMetrics } from "./job-metrics.js";

/** Where a job is in its life (Beam's `JobState`). */
export type JobState = "STOPPED" | "STARTING" | "RUNNING" | "DONE" | "FAILED" | "CANCELLING" | "CANCELLED";

/** The lawful moves; there are no others. */
const NEXT = {
  STOPPED: ["STARTING", "CANCELLING"],
  STARTING: ["RUNNING", "FAILED", "CANCELLING"],
  RUNNING: ["DONE", "FAILED", "CANCELLING"],
  CANCELLING: ["CANCELLED", "FAILED"],
  DONE: [],
  FAILED: [],
  CANCELLED: [],
} as const satisfies Record<JobState, readonly JobState[]>;

/** Something that a job has to say to its user. */
export interface JobMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Greatest number of messages that are kept for those who ask later. */
const KEPT_MESSAGES = 1000;

/**
 * A submitted job, as its user sees it: values and streams of its state, messages and metrics, its result, and `cancel`.
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
  /** Resolves with the last metrics when the job is done. Rejects with the first error, or with CancelledError. */
  readonly result: Promise<JobMetrics>;
  private readonly states = new BehaviorSubject<JobState>("STOPPED");
  private readonly said = new ReplaySubject<JobMessage>(KEPT_MESSAGES);
  private readonly kept: JobMessage[] = [];
  private readonly measured = new BehaviorSubject<JobMetrics>(NO_METRICS);
  private settle!: { resolve(metrics: JobMetrics): void; reject(error: unknown): void };

  constructor(
    readonly id: string,
    /** Asked at most once, to stop all that runs; {@link finish} follows. */
    private readonly onCancel: () => void,
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
      this.onCancel();
    }
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

  /** @internal For the coordinator: the job ends in this state; FAILED comes with its error. */
  finish(state: "DONE" | "FAILED" | "CANCELLED", error?: unknown): void {
    this.move(state);
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
