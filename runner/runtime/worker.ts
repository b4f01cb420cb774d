import type { RuntimeOptions } from "./runtime-options.js";
import { pickBy, type Pick } from "./shuffle.js";
import type { UserCodeError } from "../../portability/stage-host/index.js";
import type { Task, TaskOwner } from "./task.js";

/** What a worker tells whoever runs it. */
export interface WorkerListener {
  taskDone(task: Task): void;
  taskFailed(task: Task, error: unknown): void;
  /** A bundle has failed and is tried again. */
  taskRetries?(task: Task, error: UserCodeError): void;
}

/**
 * Runs tasks on this process's event loop (design D11): those that have something to do, in turn, for a slice each; after
 * `turnMs` everything else on the loop has its chance. With nothing to do it sleeps until a task is woken: it never polls.
 *
 * - R1. A task is in the queue at most once; one woken during its own turn gets another.
 * - R2. After {@link stop} no task gets a turn.
 * - R3. A task that reads a source has its turn when no other one has anything to do: what has been taken in is done with before more is.
 */
export class Worker implements TaskOwner {
  /** Turns given so far: as long as it changes something happens. */
  turns = 0;
  /** Told when no task has anything to do any more, until something from outside wakes one. */
  onIdle: () => void = () => {};
  private queue: Task[] = [];
  /** R3 */
  private sources: Task[] = [];
  private readonly queued = new Set<Task>();
  private scheduled = false;
  private readonly pick: Pick | undefined;
  private stopped = false;

  constructor(
    private readonly options: RuntimeOptions,
    private readonly listener: WorkerListener,
  ) {
    if (options.shuffleSeed !== undefined) this.pick = pickBy(options.shuffleSeed);
  }

  /** Whether no task has anything to do right now. */
  get isIdle(): boolean {
    return this.queued.size === 0;
  }

  wake(task: Task): void {
    if (this.stopped || this.queued.has(task)) return; // R1
    this.queued.add(task);
    (task.readsSource ? this.sources : this.queue).push(task);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  taskDone(task: Task): void {
    this.listener.taskDone(task);
  }

  taskFailed(task: Task, error: unknown): void {
    this.listener.taskFailed(task, error);
  }

  taskRetries(task: Task, error: UserCodeError): void {
    this.listener.taskRetries?.(task, error);
  }

  stop(): void {
    this.stopped = true;
    this.queue = [];
    this.sources = [];
    this.queued.clear();
  }

  private next(): Task | undefined {
    const queue = this.queue.length > 0 ? this.queue : this.sources;
    return this.pick === undefined ? queue.shift() : queue.splice(this.pick(queue.length), 1)[0];
  }

  private readonly run = (): void => {
    const end = performance.now() + this.options.turnMs;
    let now = 0;
    do {
      const task = this.next();
      if (task === undefined) break;
      this.queued.delete(task);
      this.turns++;
      now = performance.now();
      if (task.turn(Math.min(end, now + this.options.taskSliceMs))) this.wake(task);
    } while (performance.now() < end);
    if (this.queued.size > 0) setImmediate(this.run);
    else {
      this.scheduled = false;
      this.onIdle();
    }
  };
}
