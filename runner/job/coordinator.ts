import { randomBytes, randomUUID } from "node:crypto";
import type { RuntimeOptions, TaskCounts } from "../runtime/index.js";
import type { Topology } from "../topology/index.js";
import { HangWatch } from "./hang-watch.js";
import { StallWatch } from "./stall-watch.js";
import { Job } from "./job.js";
import { summarise } from "./job-metrics.js";
import type { FromWorker, ToWorker, WorkerReport } from "./messages.js";
import type { WorkerLauncher, WorkerPort } from "./worker-port.js";

/** How long workers may take to stop by themselves, in milliseconds, before they are ended by force. */
const STOP_GRACE_MS = 3000;

/**
 * The job hangs: what each task waits for is in the message.
 *
 * @example
 * ```ts
 * await run(wordcount, { input: "a.txt" }, local()).catch((error: Error) => console.log(error instanceof HungJobError));
 * ```
 */
export class HungJobError extends Error {
  override readonly name = "HungJobError";
}

/**
 * A worker of the job is gone, or could not be started.
 *
 * @example
 * ```ts
 * await run(wordcount, { input: "a.txt" }, local()).catch((error: Error) => console.log(error instanceof WorkerLostError));
 * ```
 */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError";
}

interface WorkerRecord {
  readonly index: number;
  readonly port: WorkerPort;
  address: string | undefined;
  counts: readonly TaskCounts[];
  stopped: boolean;
}

/**
 * Leads the workers of one job through its life (messages.ts) and tells the {@link Job} about it.
 *
 * - C1. The first error decides the outcome; whatever follows from it is not heard.
 * - C2. A step (connect, start) is taken when every worker has completed the one before.
 * - C3. The job is over only when every worker has stopped, by itself or by force.
 */
export class Coordinator {
  readonly job: Job;
  private readonly workers: WorkerRecord[] = [];
  private readonly token = randomBytes(24).toString("base64url");
  private readonly hangWatch: HangWatch;
  private readonly stallWatch: StallWatch;
  private launches: readonly Promise<void>[] = [];
  private awaiting = 0;
  private ending: Promise<void> | undefined;
  private allStopped: () => void = () => {};
  private startedAt = 0;

  constructor(
    private readonly topology: Topology,
    private readonly workerCount: number,
    private readonly options: RuntimeOptions,
    id: string = randomUUID(),
  ) {
    this.hangWatch = new HangWatch(workerCount);
    this.stallWatch = new StallWatch(options.stallWarningMs);
    this.job = new Job(id, () => void this.end("CANCELLED"));
  }

  async start(launcher: WorkerLauncher): Promise<void> {
    this.startedAt = performance.now();
    this.job.move("STARTING");
    this.launches = Array.from({ length: this.workerCount }, (_, index) => this.launch(launcher, index));
    await Promise.all(this.launches).catch((error: unknown) => this.fail(error));
    if (this.ending !== undefined) return;
    const { topology, options, token, workerCount } = this;
    this.toAll(({ index }) => ({
      type: "deploy",
      job: this.job.id,
      generation: 1,
      token,
      worker: index,
      workers: workerCount,
      topology,
      options,
    }));
  }

  private async launch(launcher: WorkerLauncher, index: number): Promise<void> {
    const port = await launcher.launch(index);
    const worker: WorkerRecord = { index, port, address: undefined, counts: [], stopped: false };
    port.listen({
      message: (message) => this.heard(worker, message),
      exited: (how) => this.exited(worker, how),
    });
    this.workers[index] = worker;
  }

  private heard(worker: WorkerRecord, message: FromWorker): void {
    switch (message.type) {
      case "listening":
        worker.address = message.address;
        return this.completed(() => this.toAll(() => ({ type: "connect", addresses: this.workers.map(({ address }) => address) })));
      case "ready":
        return this.completed(() => this.run());
      case "report":
        return this.reported(worker, message.report, false);
      case "retries":
        return this.job.say("info", `a bundle of ${message.task} failed and is tried again: ${message.error}`);
      case "done":
        this.reported(worker, message.report, true);
        return this.completed(() => void this.end("DONE"));
      case "failed":
        return this.fail(message.error);
      case "stopped":
        worker.stopped = true;
        if (this.workers.every(({ stopped }) => stopped)) this.allStopped();
    }
  }

  /** C2 */
  private completed(next: () => void): void {
    if (--this.awaiting === 0 && this.ending === undefined) next();
  }

  /** Says something to all workers; each answers once before the next step. */
  private toAll(message: (worker: WorkerRecord) => ToWorker): void {
    this.awaiting = this.workers.length;
    for (const worker of this.workers) worker.port.send(message(worker));
  }

  private run(): void {
    this.startedAt = performance.now();
    this.job.move("RUNNING");
    this.toAll(() => ({ type: "start" }));
  }

  private reported(worker: WorkerRecord, report: WorkerReport, done: boolean): void {
    worker.counts = report.tasks;
    const counts = this.workers.flatMap((each) => each.counts);
    this.job.measure(summarise(this.topology, counts, performance.now() - this.startedAt, this.job.metrics));
    if (this.hangWatch.observe(worker.index, report, done))
      this.fail(new HungJobError(`nothing can make progress:\n${this.hangWatch.describe()}`));
    const warning = this.stallWatch.observe(worker.index, report, performance.now());
    if (warning !== undefined) this.job.say("warn", warning);
  }

  private exited(worker: WorkerRecord, how: string): void {
    worker.stopped = true;
    this.fail(new WorkerLostError(`${worker.port.name} is gone: ${how}`));
    if (this.workers.every(({ stopped }) => stopped)) this.allStopped();
  }

  private fail(error: unknown): void {
    void this.end("FAILED", error);
  }

  /** C1, C3 */
  private end(state: "DONE" | "FAILED" | "CANCELLED", error?: unknown): Promise<void> {
    return (this.ending ??= this.stopAll().then(() => {
      if (state === "FAILED") this.job.say("error", error instanceof Error ? error.message : String(error));
      this.job.finish(state, error);
    }));
  }

  private async stopAll(): Promise<void> {
    await Promise.allSettled(this.launches); // those that are coming up must go, too
    const workers = this.workers.filter((worker) => worker !== undefined);
    const running = workers.filter(({ stopped }) => !stopped);
    if (running.length > 0) {
      const stopped = new Promise<void>((resolve) => (this.allStopped = resolve));
      for (const { port } of running) port.send({ type: "stop" });
      await withinGrace(stopped);
    }
    await Promise.all(workers.map(({ port }) => port.close()));
  }
}

function withinGrace(promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, STOP_GRACE_MS);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
