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
export function forkLauncher(program: ProgramSpec, memoryBytes?: number): WorkerLauncher {
  // Three quarters are for the heap; buffers, code and the process itself need the rest.
  const heap = memoryBytes === undefined ? [] : [`--max-old-space-size=${Math.floor((memoryBytes * 0.75) / 2 ** 20)}`];
  /** Those whose workers have stopped: to start another one takes longer than most of what there is to do then. */
  const idle: ChildProcess[] = [];
  return {
    async launch(index) {
      let child = idle.pop();
      while (child !== undefined && !isAlive(child)) child = idle.pop();
      return new ForkPort(child ?? (await start(program, index, heap)), index, idle);
    },
    close: async () => void (await Promise.all(idle.splice(0).map(end))),
  };
}

const isAlive = ({ exitCode, signalCode, connected }: ChildProcess): boolean => connected && exitCode === null && signalCode === null;

/** Set in the environment of worker processes. */
const WORKER_MARK = "BEAMSTORM_WORKER";

/**
 * The options of this node process that a worker needs too: its loaders, above all. Not those that say which program to
 * run, which a worker would run again instead of its own, and not a debugger's port, which serves one process.
 */
export function workerExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const [option] = execArgv[i].split("=", 1);
    if (PROGRAM_OPTIONS_WITH_VALUE.has(option)) {
      if (!execArgv[i].includes("=")) i++;
    } else if (!PROGRAM_OPTIONS.has(option) && !option.startsWith("--inspect")) kept.push(execArgv[i]);
  }
  return kept;
}

const PROGRAM_OPTIONS_WITH_VALUE = new Set(["-e", "--eval", "-p", "-pe", "--print", "--input-type"]);
const PROGRAM_OPTIONS = new Set(["-i", "--interactive", "-c", "--check", "--test", "--watch"]);

function start(program: ProgramSpec, index: number, heap: readonly string[]): Promise<ChildProcess> {
  // A worker that starts workers would do so without end.
  if (process.env[WORKER_MARK] !== undefined)
    return Promise.reject(
      new WorkerLostError(`worker ${index} cannot be started from within a worker: does the pipeline's module run it when imported?`),
    );
  // As sources, with whatever loader this process was started with; as built, plain JavaScript.
  const main = new URL(import.meta.url.endsWith(".ts") ? "./worker-main.ts" : "./worker-main.js", import.meta.url);
  const child = fork(fileURLToPath(main), [], {
    execArgv: [...workerExecArgv(process.execArgv), ...heap],
    env: { ...process.env, [WORKER_MARK]: String(index) },
    serialization: "advanced",
  });
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(new WorkerLostError(`worker ${index} cannot be started: ${error.message}`, { cause: error }));
    child.once("error", failed);
    child.once("spawn", () => {
      child.off("error", failed);
      child.on("error", () => {}); // a message that could not be sent: `exit` tells why
      child.send({ program });
      resolve(child);
    });
  });
}

/** Resolves when the process is gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (child.connected) child.disconnect();
  const force = setTimeout(() => child.kill("SIGKILL"), EXIT_GRACE_MS);
  await gone;
  clearTimeout(force);
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  // V8 aborts the process when its heap is full; a system that is out of memory kills it.
  if (signal === "SIGABRT" || code === 134)
    return "it ran out of memory or was aborted (SIGABRT); give workers more with --memory, or use more of them";
  if (signal === "SIGKILL") return "signal SIGKILL, as by a system that is short of memory";
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** What is said over the process's own channel: control, apart from the data between workers. */
class ForkPort implements WorkerPort {
  readonly name: string;
  private listener: WorkerPortListener | undefined;
  private exit: string | undefined;

  /** @param idle where the process goes when it is released */
  constructor(
    private readonly child: ChildProcess,
    index: number,
    private readonly idle: ChildProcess[],
  ) {
    this.name = `worker ${index} (pid ${child.pid})`;
    child.on("exit", this.onExit);
    child.on("message", this.onMessage);
  }

  listen(listener: WorkerPortListener): void {
    this.listener = listener;
    if (this.exit !== undefined) listener.exited(this.exit);
  }

  private readonly onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
    this.exit = howItEnded(code, signal);
    this.listener?.exited(this.exit);
  };

  private readonly onMessage = (message: unknown): void => this.listener?.message(decodeFromWorker(message));

  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(encodeToWorker(message) as object, () => {});
  }

  async close(): Promise<void> {
    this.listener = undefined;
    await end(this.child);
  }

  release(): void {
    this.listener = undefined;
    this.child.off("exit", this.onExit);
    this.child.off("message", this.onMessage);
    this.idle.push(this.child);
  }
}
