import type { StageHost } from "../../portability/stage-host/index.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { WorkerAgent } from "./worker-agent.js";
import type { WorkerLauncher, WorkerPort, WorkerPortListener } from "./worker-port.js";

/**
 * Runs workers in this process, each with the stage host that `openHost` gives it. Several of them share one event loop
 * and still talk over sockets: that is for tests.
 *
 * @example
 * ```ts
 * const job = runJob(planned, { launcher: inProcessLauncher(() => host) });
 * await job.result;
 * ```
 */
export function inProcessLauncher(openHost: () => StageHost | Promise<StageHost>): WorkerLauncher {
  return { launch: (index) => Promise.resolve(new InProcessPort(index, openHost)) };
}

class InProcessPort implements WorkerPort {
  readonly name: string;
  private readonly agent: WorkerAgent;
  private listener: WorkerPortListener | undefined;

  constructor(index: number, openHost: () => StageHost | Promise<StageHost>) {
    this.name = `worker ${index}`;
    this.agent = new WorkerAgent(
      async () => await openHost(),
      (message) => this.deliver(message),
    );
  }

  listen(listener: WorkerPortListener): void {
    this.listener = listener;
  }

  send(message: ToWorker): void {
    queueMicrotask(() => this.agent.receive(message));
  }

  close(): Promise<void> {
    this.listener = undefined;
    return Promise.resolve();
  }

  private deliver(message: FromWorker): void {
    queueMicrotask(() => this.listener?.message(message)); // as over a wire: never while the sender is still at it
  }
}
