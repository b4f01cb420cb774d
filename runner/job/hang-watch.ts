import type { WorkerReport } from "./messages.js";

/** Reports in a row, of every worker, that must show no movement. */
const ROUNDS = 3;
/** Tasks described in one message. */
const NAMED = 50;

/**
 * Tells when nothing in a job can make progress any more (design D16).
 *
 * A worker stands still while report after report it is idle with the same number of turns. If all stand still for some
 * rounds and every frame sent has been received, no event is left that could wake anybody: user code at work counts as
 * not idle, and so do one that waits for time, and a frame on its way.
 */
export class HangWatch {
  private readonly latest: (WorkerReport | undefined)[];
  private readonly still: number[];

  constructor(workers: number) {
    this.latest = new Array<undefined>(workers).fill(undefined);
    this.still = new Array<number>(workers).fill(0);
  }

  /** Takes a report; true if the job hangs. `done` tells that it is the worker's last one. */
  observe(worker: number, report: WorkerReport, done: boolean): boolean {
    const before = this.latest[worker];
    const moved = before === undefined || before.turns !== report.turns || before.framesReceived !== report.framesReceived;
    this.latest[worker] = report;
    this.still[worker] = done ? Infinity : report.idle && !moved ? this.still[worker] + 1 : 0;
    if (this.still.every((rounds) => rounds === Infinity)) return false;
    return this.still.every((rounds) => rounds >= ROUNDS) && this.framesUnderWay() === 0;
  }

  /** What each unfinished task waits for, one a line. */
  describe(): string {
    const waits = this.latest.flatMap((report) => report?.waits ?? []);
    const lines = waits.slice(0, NAMED).map(({ task, waitsFor }) => `  ${task} waits for ${waitsFor}`);
    return [...lines, ...(waits.length > NAMED ? [`  and ${waits.length - NAMED} more tasks`] : [])].join("\n");
  }

  private framesUnderWay(): number {
    return this.latest.reduce((sum, report) => sum + (report?.framesSent ?? 0) - (report?.framesReceived ?? 0), 0);
  }
}
