import type { TaskCounts } from "../runtime/index.js";
import type { FromWorker, ToWorker } from "./messages.js";
import type { WorkerLauncher, WorkerPort } from "./worker-port.js";

/** How long workers may take to stop by themselves, in milliseconds, before they are ended by force. */
const STOP_GRACE_MS = 3000;

/** One worker, as its coordinator knows it. */
export interface CrewMember {
  readonly index: number;
  readonly port: WorkerPort;
  address: string | undefined;
  counts: readonly TaskCounts[];
  /** What the epoch under way waits for there, as it said last. */
  epochWaitsFor: readonly string[];
  stopped: boolean;
  /** Whether it is there still. */
  isAlive: boolean;
}

/** What a crew's coordinator hears of. */
export interface CrewListener {
  heard(worker: CrewMember, message: FromWorker): void;
  exited(worker: CrewMember, how: string): void;
}

/**
 * The workers of one generation of a job.
 *
 * - W1. {@link stop} ends those that are still coming up, too; once is enough, however often it is asked for.
 * - W2. Those that are to serve again, in another crew, have stopped like all others: nothing of what they did is there any more, and they say nothing.
 */
export class Crew {
  readonly members: CrewMember[] = [];
  private launches: readonly Promise<void>[] = [];
  private awaited = 0;
  private stopping: Promise<void> | undefined;
  private allStopped: () => void = () => {};

  constructor(
    private readonly count: number,
    private readonly listener: CrewListener,
  ) {}

  /** Starts all of them; rejects if one does not come up. */
  async launch(launcher: WorkerLauncher): Promise<void> {
    this.stopping = undefined;
    this.launches = Array.from({ length: this.count }, (_, index) => this.launchOne(launcher, index));
    await Promise.all(this.launches);
  }

  /** Says something to all; each answers once before the next step: {@link answered} tells when all have. */
  toAll(message: (worker: CrewMember) => ToWorker): void {
    this.awaited = this.members.length;
    for (const worker of this.members) worker.port.send(message(worker));
  }

  /** Says something that nobody answers, or not in turn. */
  tellAll(message: ToWorker): void {
    for (const { port } of this.members) port.send(message);
  }

  /** One has answered; true if all have. */
  answered(): boolean {
    return --this.awaited === 0;
  }

  hasStopped(worker: CrewMember): void {
    worker.stopped = true;
    if (this.members.every(({ stopped }) => stopped)) this.allStopped();
  }

  /**
   * Resolves when nothing of them runs any more (W1).
   *
   * @param isComplete whether the job has come to its end
   * @param releases whether those that are fit for it may serve again (W2)
   */
  stop(isComplete = false, releases = false): Promise<void> {
    return (this.stopping ??= this.stopOnce(isComplete, releases));
  }

  private async launchOne(launcher: WorkerLauncher, index: number): Promise<void> {
    const port = await launcher.launch(index);
    const worker: CrewMember = { index, port, address: undefined, counts: [], epochWaitsFor: [], stopped: false, isAlive: true };
    port.listen({
      message: (message) => {
        if (message.type === "stopped") this.hasStopped(worker);
        else this.listener.heard(worker, message);
      },
      exited: (how) => {
        worker.isAlive = false;
        this.hasStopped(worker);
        this.listener.exited(worker, how);
      },
    });
    this.members[index] = worker;
  }

  private async stopOnce(isComplete: boolean, releases: boolean): Promise<void> {
    await Promise.allSettled(this.launches);
    const workers = this.members.filter((worker) => worker !== undefined);
    const running = workers.filter(({ stopped }) => !stopped);
    if (running.length > 0) {
      const stopped = new Promise<void>((resolve) => (this.allStopped = resolve));
      for (const { port } of running) port.send({ type: "stop", isComplete });
      await withinGrace(stopped);
    }
    await Promise.all(workers.map((worker) => this.letGo(worker, releases)));
  }

  private async letGo({ port, stopped, isAlive }: CrewMember, releases: boolean): Promise<void> {
    if (releases && stopped && isAlive && port.release !== undefined) port.release();
    else await port.close();
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
