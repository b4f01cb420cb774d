// Sees from a thread of its own when user code keeps the event loop busy without end (design D11). The loop then neither reports nor
// hears Ctrl-C; so the thread says at which line it is, and lets signals end the process at once until the loop is free again.
import { Worker } from "node:worker_threads";
import type { Signals } from "./signals.js";

/** What the two threads share: beats of the event loop, and whether signals end the process at once. */
export const BEATS = 0;
export const DEFAULT_SIGNALS = 1;

/** Emitted on `process` by the thread, in the midst of whatever runs. */
export const STUCK_EVENT = "beamstorm:stuck";

export interface BusyWatchData {
  readonly shared: Int32Array;
  /** Milliseconds without a beat after which the watch says so. */
  readonly warnAfterMs: number;
}

const BEAT_MS = 250;

export class BusyWatch {
  private readonly shared = new Int32Array(new SharedArrayBuffer(8));
  private readonly timer: NodeJS.Timeout;
  private readonly thread: Worker;
  private readonly onStuck: () => void;

  constructor(signals: Signals, warnAfterMs: number) {
    const { shared } = this;
    this.onStuck = () => {
      signals.release();
      Atomics.store(shared, DEFAULT_SIGNALS, 1);
    };
    this.timer = setInterval(() => {
      Atomics.add(shared, BEATS, 1);
      if (Atomics.exchange(shared, DEFAULT_SIGNALS, 0) === 1) signals.watch(); // free again
    }, BEAT_MS);
    this.timer.unref();
    process.on(STUCK_EVENT, this.onStuck);
    const workerData: BusyWatchData = { shared, warnAfterMs };
    this.thread = new Worker(new URL("./busy-watch-thread.js", import.meta.url), { workerData, execArgv: [] });
    this.thread.unref();
    this.thread.on("error", () => {}); // without it there is one warning less
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    process.off(STUCK_EVENT, this.onStuck);
    await this.thread.terminate();
  }
}
