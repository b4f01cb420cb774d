import type { WorkerReport } from "./messages.js";

/** Tasks named in one warning. */
const NAMED = 5;

/**
 * Tells when a job stands still for long because of user code: a promise that does not settle may settle yet, so that is
 * no failure, but its user should know. Said again after twice the time, and so on.
 */
export class StallWatch {
  private readonly latest = new Map<number, WorkerReport>();
  private movedAt: number | undefined;
  private warnAfterMs: number;

  constructor(private readonly firstAfterMs: number) {
    this.warnAfterMs = firstAfterMs;
  }

  /** Takes a report at a time in milliseconds; gives a warning when it is due. */
  observe(worker: number, report: WorkerReport, now: number): string | undefined {
    const before = this.latest.get(worker);
    this.latest.set(worker, report);
    if (this.movedAt === undefined || before === undefined || moved(before, report)) {
      this.movedAt = now;
      this.warnAfterMs = this.firstAfterMs;
      return undefined;
    }
    const stillMs = now - this.movedAt;
    if (stillMs < this.warnAfterMs) return undefined;
    this.warnAfterMs = stillMs * 2;
    const waits = [...this.latest.values()].flatMap((each) => each.waits).filter(({ waitsFor }) => !waitsFor.startsWith("input"));
    if (waits.length === 0) return undefined;
    const named = waits.slice(0, NAMED).map(({ task, waitsFor }) => `${task} waits for ${waitsFor}`);
    const more = waits.length > NAMED ? [`and ${waits.length - NAMED} more tasks`] : [];
    return `no progress for ${Math.round(stillMs / 100) / 10} s: ${[...named, ...more].join("; ")}`;
  }
}

function moved(before: WorkerReport, after: WorkerReport): boolean {
  return before.turns !== after.turns || before.framesReceived !== after.framesReceived || elementsOf(before) !== elementsOf(after);
}

/** What stages have counted: they may get further within a bundle of somebody else's. */
function elementsOf({ tasks }: WorkerReport): number {
  return tasks.reduce((sum, { pcollections }) => Object.values(pcollections).reduce((total, count) => total + count, sum), 0);
}
