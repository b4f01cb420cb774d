// The jobs that a server knows.
//
// R1. Jobs stay known after their end: the latest of them, up to a number and a number of bytes.
// R2. Those that were prepared and never run are bounded likewise: the oldest gives way, and is FAILED.
// R3. So many may run at once; one more is refused until another is over.
import { ServiceError } from "../../portability/services/index.js";
import type { ServedJob } from "./served-job.js";

export interface JobLimits {
  /** Jobs that are over and still known, at most, … */
  readonly overJobs: number;
  /** … with so many bytes of pipelines and messages. */
  readonly overBytes: number;
  /** Jobs that are prepared and not run yet. */
  readonly preparedJobs: number;
  /** Jobs that run at once. */
  readonly runningJobs: number;
}

const DEFAULT_LIMITS: JobLimits = { overJobs: 200, overBytes: 128 << 20, preparedJobs: 50, runningJobs: 100 };

export class JobRegistry {
  private readonly jobs = new Map<string, ServedJob>();
  private readonly limits: JobLimits;

  constructor(limits: Partial<JobLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** The oldest first. */
  get all(): readonly ServedJob[] {
    return [...this.jobs.values()];
  }

  /** @throws ServiceError NOT_FOUND */
  get(id: string | null | undefined): ServedJob {
    const job = this.jobs.get(id ?? "");
    if (job === undefined) throw new ServiceError("NOT_FOUND", `there is no job "${(id ?? "").slice(0, 200)}"`);
    return job;
  }

  add(job: ServedJob): void {
    this.jobs.set(job.id, job);
    const prepared = this.all.filter((each) => !each.isRunning && !each.isOver);
    for (const oldest of prepared.slice(0, Math.max(0, prepared.length - this.limits.preparedJobs)))
      oldest.failed(new Error(`the job was not run, and ${this.limits.preparedJobs} others have been prepared since`)); // R2
    this.forget();
  }

  /** R3. @throws ServiceError RESOURCE_EXHAUSTED */
  checkRoomToRun(): void {
    const { runningJobs } = this.limits;
    if (this.all.filter(({ isRunning }) => isRunning).length < runningJobs) return;
    throw new ServiceError("RESOURCE_EXHAUSTED", `${runningJobs} jobs are running; wait until one is over, or cancel it`);
  }

  /** R1: to be called when a job has ended. */
  forget(): void {
    const over = this.all.filter(({ isOver }) => isOver);
    let bytes = over.reduce((sum, job) => sum + job.bytes, 0);
    let count = over.length;
    for (const job of over) {
      if (count <= this.limits.overJobs && bytes <= this.limits.overBytes) return;
      if (count === 1) return; // the one that has just ended
      this.jobs.delete(job.id);
      bytes -= job.bytes;
      count--;
    }
  }
}
