import type { FromWorker, ToWorker } from "./messages.js";

/** What a coordinator hears from a port. */
export interface WorkerPortListener {
  message(message: FromWorker): void;
  /** The worker is gone without having been asked to go. `how` says how, e.g. `exit code 1`. */
  exited(how: string): void;
}

/** A coordinator's connection to one worker. Messages arrive whole and in order, and never wait behind data. */
export interface WorkerPort {
  /** For messages to people, e.g. `worker 1 (pid 4711)`. */
  readonly name: string;
  /** Called once, before the first {@link send}. */
  listen(listener: WorkerPortListener): void;
  /** Never throws: a worker that cannot be reached any more exits. */
  send(message: ToWorker): void;
  /** Ends the worker, by force if it has to be; resolves when it is gone. `exited` is not told. */
  close(): Promise<void>;
  /** In place of {@link close}, of a worker that has stopped by itself: whoever launched it may have it serve again. */
  release?(): void;
}

/** Starts workers. */
export interface WorkerLauncher {
  launch(index: number): Promise<WorkerPort>;
  /** Ends what there still is of workers that were released. */
  close?(): Promise<void>;
}
