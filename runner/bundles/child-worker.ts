// Workers that the runner itself starts: commands of a pipeline's author, and containers. Both are child processes that are told by flags whom to call.
//
// W1. A worker ends with its job, and so does whatever it has started (its process group); what it has on disk is removed.
// W2. Lines of its output are told one by one, and cut where they are long; nothing is kept of them here.
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerCommand, reachableFromContainer } from "./docker.js";
import type { WorkerEnvironment, WorkerRequest } from "./worker-environment.js";

/** How long a worker may take to end when it is told to, before it is made to; in milliseconds. */
const GRACE_MS = 1000;
const KILL_AFTER_MS = 3000;
const LAST_WORDS_MS = 200;
/** Characters of a line. */
const LONGEST_LINE = 4096;

/** `beam:env:process:v1`: a command, with variables of its environment besides those of the runner's own. */
export function processOf(command: string, env: Readonly<Record<string, string>>): WorkerEnvironment {
  return new ChildWorker({
    what: `the command "${command}"`,
    start: ({ workerId, url }, folder) =>
      spawn(command, [...flags(workerId, url), `--semi_persist_dir=${folder}`], { ...OPTIONS, env: { ...process.env, ...env } }),
  });
}

/** `beam:env:docker:v1`: an image whose entry point takes the same flags. */
export function containerOf(image: string): WorkerEnvironment {
  const nameOf = (workerId: string): string => `beamstorm-${workerId.replaceAll(/[^A-Za-z0-9_.-]/g, "_")}`;
  return new ChildWorker({
    what: `the container of ${image}`,
    start: ({ workerId, url }) =>
      spawn(
        dockerCommand,
        ["run", "--rm", "--network=host", "--name", nameOf(workerId), "--", image, ...flags(workerId, reachableFromContainer(url))],
        OPTIONS,
      ),
    kill: ({ workerId }) =>
      new Promise((resolve) => {
        const child = spawn(dockerCommand, ["rm", "--force", nameOf(workerId)], { stdio: "ignore", timeout: KILL_AFTER_MS });
        child.once("close", resolve).once("error", resolve);
      }),
  });
}

/** A process group of its own. */
const OPTIONS: SpawnOptions = { detached: true, stdio: ["ignore", "pipe", "pipe"] };

const flags = (workerId: string, url: string): string[] => [
  `--id=${workerId}`,
  ...["provision", "control", "logging", "artifact"].map((name) => `--${name}_endpoint=${url}`),
];

interface Launch {
  /** For people. */
  readonly what: string;
  /** @param folder the worker's own */
  start(request: WorkerRequest, folder: string): ChildProcess;
  /** What else there is to do to end it. */
  kill?(request: WorkerRequest): Promise<unknown>;
}

class ChildWorker implements WorkerEnvironment {
  private child: ChildProcess | undefined;
  private request: WorkerRequest | undefined;
  private folder: string | undefined;
  private exited: Promise<void> = Promise.resolve();
  private isTold: () => void = () => {};
  private readonly told = new Promise<void>((resolve) => (this.isTold = resolve));
  private stopping = false;

  constructor(private readonly launch: Launch) {}

  async start(request: WorkerRequest): Promise<void> {
    this.request = request;
    const folder = await mkdtemp(join(tmpdir(), "beamstorm-worker-"));
    this.folder = folder;
    if (this.stopping) return rm(folder, { recursive: true, force: true });
    const child = (this.child = this.launch.start(request, folder));
    for (const output of [child.stdout, child.stderr]) if (output !== null) eachLine(output, request.said);
    let last = "";
    child.stderr?.on("data", (text: string) => (last = (last + text).slice(-LONGEST_LINE)));
    this.exited = new Promise((resolve) => child.once("close", () => resolve()).once("error", () => resolve()));
    child.once("exit", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : signal;
      // Its output may still be on its way, or be held open by what it has started.
      void this.exitsWithin(LAST_WORDS_MS).then(() => {
        this.isTold(); // next, by who waits for that
        if (this.stopping) return;
        const words = last.trim().split("\n").at(-1);
        request.ended(`${this.launch.what} has ended with ${how}${words ? `: ${words}` : ""}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => reject(new Error(`${this.launch.what} cannot be started: ${cause.message}`, { cause })));
    });
  }

  whenGone(): Promise<void> {
    return Promise.race([this.told, new Promise<void>((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
  }

  /** W1 */
  async stop(): Promise<void> {
    this.stopping = true;
    const { child, request, folder } = this;
    if (child?.pid !== undefined) {
      // Its control stream has ended; mostly it goes by itself.
      await this.exitsWithin(GRACE_MS);
      signalGroup(child, "SIGTERM");
      await this.launch.kill?.(request!);
      await this.exitsWithin(KILL_AFTER_MS);
      signalGroup(child, "SIGKILL"); // also what it has left behind
      await this.exitsWithin(KILL_AFTER_MS);
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {}); // a file that is still written to
  }

  private async exitsWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.exited, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.platform !== "win32") process.kill(-pid!, signal);
    else if (exitCode === null && signalCode === null) process.kill(pid!, signal);
  } catch {
    // None of it is left.
  }
}

/** W2 */
function eachLine(output: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let rest = "";
  output.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(0, LONGEST_LINE);
    for (const line of lines) if (line.trim() !== "") tell(line.slice(0, LONGEST_LINE));
  });
  output.on("end", () => {
    if (rest.trim() !== "") tell(rest);
  });
}
