import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  decodeFromWorker,
  encodeToWorker,
  WorkerLostError,
  type ToWorker,
  type WorkerLauncher,
  type WorkerPort,
  type WorkerPortListener,
} from "../runner/index.js";
import type { ProgramSpec } from "./load-program.js";

/** How long a worker process may take to exit once it has nothing to do any more, in milliseconds. */
const EXIT_GRACE_MS = 1000;

/** Starts workers as processes of this machine, which load the program anew (design D2). See worker-main.ts. */
export function forkLauncher(program: ProgramSpec): WorkerLauncher {
  return { launch: (index) => launch(program, index) };
}

function launch(program: ProgramSpec, index: number): Promise<WorkerPort> {
  // As sources, with whatever loader this process was started with; as built, plain JavaScript.
  const main = new URL(import.meta.url.endsWith(".ts") ? "./worker-main.ts" : "./worker-main.js", import.meta.url);
  const child = fork(fileURLToPath(main), [], {
    execArgv: process.execArgv.filter((argument) => !argument.startsWith("--inspect")), // one port serves one process
    serialization: "advanced",
  });
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(new WorkerLostError(`worker ${index} cannot be started: ${error.message}`, { cause: error }));
    child.once("error", failed);
    child.once("spawn", () => {
      child.off("error", failed);
      const port = new ForkPort(child, index);
      child.send({ program });
      resolve(port);
    });
  });
}

/** What is said over the process's own channel: control, apart from the data between workers. */
class ForkPort implements WorkerPort {
  readonly name: string;
  private listener: WorkerPortListener | undefined;
  private readonly gone: Promise<void>;
  private exit: string | undefined;

  constructor(
    private readonly child: ChildProcess,
    index: number,
  ) {
    this.name = `worker ${index} (pid ${child.pid})`;
    this.gone = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
        resolve();
        this.listener?.exited(this.exit);
      });
    });
    child.on("error", () => {}); // a message that could not be sent: `exit` tells why
    child.on("message", (message) => this.listener?.message(decodeFromWorker(message)));
  }

  listen(listener: WorkerPortListener): void {
    this.listener = listener;
    if (this.exit !== undefined) listener.exited(this.exit);
  }

  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(encodeToWorker(message) as object, () => {});
  }

  async close(): Promise<void> {
    this.listener = undefined;
    if (this.child.connected) this.child.disconnect();
    const force = setTimeout(() => this.child.kill("SIGKILL"), EXIT_GRACE_MS);
    await this.gone;
    clearTimeout(force);
  }
}
