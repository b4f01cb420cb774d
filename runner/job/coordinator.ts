import { randomBytes, randomUUID } from "node:crypto";
import type { RuntimeOptions, TaskCounts } from "../runtime/index.js";
import type { Topology } from "../topology/index.js";
import { Crew, type CrewMember } from "./crew.js";
import { HangWatch } from "./hang-watch.js";
import { StallWatch } from "./stall-watch.js";
import { Job } from "./job.js";
import { JobCheckpoints, type CheckpointHooks, type CheckpointOptions } from "./job-checkpoints.js";
import { sumOfRuns, summarise } from "./job-metrics.js";
import type { FromWorker, WorkerReport } from "./messages.js";
import { isOfDamage, isRestartable, WorkerLostError } from "./restartable.js";
import type { WorkerLauncher } from "./worker-port.js";

/** How often in a row a job begins anew without having come to another checkpoint in between. */
const MAX_RESTARTS = 5;

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

/** How a job is led, besides what it runs. */
export interface CoordinatorOptions {
  readonly id?: string | undefined;
  /** Whether sources end at once (C4): a job that has nothing more to read, though nobody drains it. */
  readonly startsDrained?: boolean | undefined;
  readonly checkpoints?: CheckpointOptions | undefined;
}

/**
 * Leads the workers of one job through its life (messages.ts) and tells the {@link Job} about it.
 *
 * - C1. The first error decides the outcome; whatever follows from it is not heard.
 * - C2. A step (connect, start) is taken when every worker has completed the one before.
 * - C3. The job is over only when every worker has stopped, by itself or by force.
 * - C4. Workers are told once that the job drains, and not before all are ready; asked for earlier it waits until then.
 * - C5. Where there are checkpoints, the loss of a worker ends no job: all of its workers stop, and others go on from the last checkpoint, as the
 *   next generation. Nothing of the one before is heard then. Processes that have stopped in order serve again, unless the job comes no further so.
 */
export class Coordinator {
  readonly job: Job;
  private readonly token = randomBytes(24).toString("base64url");
  private hangWatch: HangWatch;
  private stallWatch: StallWatch;
  private launcher!: WorkerLauncher;
  private topology: Topology;
  /** The workers of this generation. */
  private crew: Crew;
  private checkpoints: JobCheckpoints | undefined;
  /** Whether what was begun in the folder of checkpoints is known; a job that ends waits for it, or it would take over from the next one. */
  private beginning: Promise<unknown> = Promise.resolve();
  /** What runs before this one have counted. */
  private countsBefore: readonly TaskCounts[] = [];
  private restarting: Promise<void> | undefined;
  /** The workers that are lost, and given up for that. */
  private lostCrew: Crew | undefined;
  private restarts = 0;
  /** Whether pieces have been found to be damaged. */
  private isDamaged = false;
  private ending: Promise<void> | undefined;
  private startedAt = 0;
  private isDrainWanted = false;

  constructor(
    private readonly planned: Topology,
    private readonly workerCount: number,
    private readonly options: RuntimeOptions,
    private readonly settings: CoordinatorOptions = {},
  ) {
    this.topology = planned;
    this.crew = this.newCrew();
    this.hangWatch = new HangWatch(workerCount);
    this.stallWatch = new StallWatch(options.stallWarningMs);
    this.job = new Job(settings.id ?? randomUUID(), { cancel: () => void this.end("CANCELLED"), drain: () => this.drain() });
  }

  async start(launcher: WorkerLauncher): Promise<void> {
    this.launcher = launcher;
    this.startedAt = performance.now();
    this.job.move("STARTING");
    await this.begin().catch((error: unknown) => this.fail(error));
  }

  /** Begins a generation. */
  private async begin(): Promise<void> {
    const isComplete = await (this.beginning = this.beginCheckpoints());
    if (this.ending !== undefined) return;
    if (isComplete) return this.completeAlready();
    const { crew, topology, options, token, workerCount, checkpoints, settings } = this;
    await crew.launch(this.launcher);
    if (this.ending !== undefined || crew !== this.crew) return;
    crew.toAll(({ index }) => ({
      type: "deploy",
      job: this.job.id,
      generation: checkpoints?.generation ?? 1,
      token,
      worker: index,
      workers: workerCount,
      topology,
      options,
      checkpoints:
        checkpoints === undefined ? undefined : { folder: settings.checkpoints!.folder, job: checkpoints.job, from: checkpoints.from },
    }));
  }

  /** True if the job has come to its end in another run. */
  private async beginCheckpoints(): Promise<boolean> {
    const options = this.settings.checkpoints;
    if (options === undefined) return false;
    const { checkpoints, topology } = await JobCheckpoints.begin(options, this.planned, this.workerCount, this.hooks(), this.isDamaged);
    this.checkpoints = checkpoints;
    this.topology = topology;
    const { from } = checkpoints;
    this.countsBefore = from === undefined ? [] : sumOfRuns(from.counts as readonly TaskCounts[]);
    if (from !== undefined && !from.isLast) this.job.say("info", `goes on from the checkpoint of epoch ${from.epoch} in ${options.folder}`);
    return from?.isLast === true;
  }

  private hooks(): CheckpointHooks {
    const { crew } = this;
    const heard = (act: () => void): void => {
      if (crew === this.crew && this.ending === undefined) act();
    };
    return {
      trigger: (epoch) => heard(() => crew.tellAll({ type: "checkpoint", epoch })),
      announce: (epoch) =>
        heard(() => {
          this.restarts = 0;
          crew.tellAll({ type: "published", epoch });
        }),
      complete: () => heard(() => void this.end("DONE")),
      failed: (error) => heard(() => this.fail(error)),
      say: (text) => this.job.say("warn", text),
      published: (epoch, milliseconds, bytes) =>
        this.job.say("debug", `checkpoint of epoch ${epoch}: ${bytes} bytes in ${Math.round(milliseconds)} ms`),
      epochWaitsFor: () => crew.members.flatMap(({ epochWaitsFor }) => epochWaitsFor),
      countsBefore: () => this.countsBefore,
    };
  }

  private completeAlready(): void {
    this.job.move("RUNNING");
    this.job.say(
      "info",
      `the job has come to its end before, by the checkpoints in ${this.settings.checkpoints!.folder}: nothing is left to do`,
    );
    this.measure();
    void this.end("DONE");
  }

  private newCrew(): Crew {
    const crew: Crew = new Crew(this.workerCount, {
      heard: (worker, message) => {
        if (crew === this.crew) this.heard(worker, message);
      },
      exited: ({ port }, how) => {
        if (crew === this.crew) this.lost(new WorkerLostError(`${port.name} is gone: ${how}`));
      },
    });
    return crew;
  }

  private heard(worker: CrewMember, message: FromWorker): void {
    const { crew } = this;
    switch (message.type) {
      case "listening":
        worker.address = message.address;
        return this.completed(() => crew.toAll(() => ({ type: "connect", addresses: crew.members.map(({ address }) => address) })));
      case "ready":
        return this.completed(() => this.run());
      case "report":
        return this.reported(worker, message.report, false);
      case "retries":
        return this.job.say("info", `a bundle of ${message.task} failed and is tried again: ${message.error}`);
      case "warning":
        return this.job.say("warn", message.text);
      case "snapshotted":
        return this.checkpoints?.taken(worker.index, message.snapshot);
      case "checkpoint-wanted":
        return this.checkpoints?.wanted();
      case "done":
        this.reported(worker, message.report, true);
        return this.completed(() => (this.checkpoints === undefined ? void this.end("DONE") : this.checkpoints.over()));
      case "failed":
        return isRestartable(message.error) ? this.lost(message.error) : this.fail(message.error);
      case "stopped":
        return; // the crew's business
    }
  }

  /** C2 */
  private completed(next: () => void): void {
    if (this.crew.answered() && this.ending === undefined) next();
  }

  private run(): void {
    this.startedAt = performance.now();
    if (this.job.state === "STARTING") this.job.move("RUNNING");
    if (this.settings.startsDrained === true) this.tellDrain();
    if (this.isDrainWanted) this.beginDrain();
    this.crew.toAll(() => ({ type: "start" }));
    this.checkpoints?.start();
  }

  /** C4 */
  private drain(): void {
    if (this.isDrainWanted || this.ending !== undefined) return;
    this.isDrainWanted = true;
    if (this.job.state === "RUNNING" && this.restarting === undefined) this.beginDrain();
  }

  private beginDrain(): void {
    if (this.job.state === "RUNNING") this.job.move("DRAINING");
    if (this.settings.startsDrained !== true) this.tellDrain();
  }

  private tellDrain(): void {
    this.crew.tellAll({ type: "drain" });
  }

  private reported(worker: CrewMember, report: WorkerReport, done: boolean): void {
    worker.counts = report.tasks;
    worker.epochWaitsFor = report.epochWaitsFor;
    this.measure();
    if (this.hangWatch.observe(worker.index, report, done))
      this.fail(new HungJobError(`nothing can make progress:\n${this.hangWatch.describe()}`));
    const warning = this.stallWatch.observe(worker.index, report, performance.now());
    if (warning !== undefined) this.job.say("warn", warning);
  }

  private measure(): void {
    const counts = [...this.countsBefore, ...this.crew.members.flatMap((each) => each.counts)];
    this.job.measure(summarise(this.topology, counts, performance.now() - this.startedAt, this.job.metrics));
  }

  /** C5 */
  private lost(error: unknown): void {
    if (this.ending !== undefined || this.crew === this.lostCrew) return;
    if (this.checkpoints === undefined || this.restarts >= MAX_RESTARTS) return this.fail(error);
    this.lostCrew = this.crew;
    this.restarts++;
    this.isDamaged ||= isOfDamage(error);
    this.job.say("warn", `${messageOf(error)}; the job goes on from its last checkpoint`);
    const before = this.restarting; // these workers may be lost while they are being started
    const restarting = (this.restarting = (before === undefined ? this.restart() : before.then(() => this.restart()))
      .catch((failure: unknown) => this.fail(failure))
      .finally(() => {
        if (this.restarting === restarting) this.restarting = undefined;
      }));
  }

  private async restart(): Promise<void> {
    if (this.ending !== undefined) return;
    const { crew } = this;
    this.crew = this.newCrew();
    this.hangWatch = new HangWatch(this.workerCount);
    this.stallWatch = new StallWatch(this.options.stallWarningMs);
    await Promise.all([this.checkpoints?.stop(), crew.stop(false, this.restarts === 1)]);
    if (this.ending === undefined) await this.begin();
  }

  private fail(error: unknown): void {
    void this.end("FAILED", error);
  }

  /** C1, C3 */
  private end(state: "DONE" | "FAILED" | "CANCELLED", error?: unknown): Promise<void> {
    return (this.ending ??= this.stopAll(state === "DONE").then(() => {
      if (state === "FAILED") this.job.say("error", messageOf(error));
      this.job.finish(state, error);
    }));
  }

  private async stopAll(isComplete: boolean): Promise<void> {
    await this.beginning.catch(() => {}); // who begins tells
    await Promise.all([this.checkpoints?.stop(), this.restarting, this.crew.stop(isComplete)]);
    await this.crew.stop(); // of what began meanwhile
    await this.launcher.close?.();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
