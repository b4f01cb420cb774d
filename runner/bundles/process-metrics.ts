// What a harness has counted as a process, of no transform in particular: asked for every so often, and once more at the end of a job.
import type { beam } from "../../portability/protos/index.js";
import type { Harness } from "./harness.js";

/** How often it is asked, in milliseconds. */
const ASK_EVERY_MS = 10_000;
/** How long the end of a job waits for its last words. */
const LAST_WITHIN_MS = 2000;

export class ProcessMetrics {
  private timer: NodeJS.Timeout | undefined;
  private asked: Promise<void> | undefined;

  constructor(
    private readonly harness: Harness,
    /** Told what the harness says: all that it has counted so far. */
    private readonly told: (infos: readonly beam.pipeline.IMonitoringInfo[]) => void,
  ) {}

  /** The harness takes orders. */
  start(): void {
    if (this.harness.lostBy !== undefined) return; // it has been stopped meanwhile
    this.timer = setInterval(() => void this.ask(), ASK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** The job is over: resolves when the harness has said what it has counted, or is not worth waiting for. */
  async last(): Promise<void> {
    if (this.timer === undefined) return;
    this.stop();
    let late: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => (late = setTimeout(resolve, LAST_WITHIN_MS)));
    await Promise.race([isLate, (this.asked ?? Promise.resolve()).then(() => this.ask())]);
    clearTimeout(late);
  }

  /** One question at a time. */
  private ask(): Promise<void> {
    return (this.asked ??= this.harness
      .processMetrics()
      .then(this.told, () => {}) // what is lost with a harness is what it had not said
      .finally(() => (this.asked = undefined)));
  }
}
