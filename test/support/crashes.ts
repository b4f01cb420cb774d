// Runs that are killed at random points and go on until one of them comes to its end.
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { command, root } from "./run-cli.js";

export interface CrashOptions {
  /** Arguments of `beamstorm run`, without those about workers and checkpoints. */
  readonly args: readonly string[];
  /** Of each run, in turn. */
  readonly workers: readonly number[];
  readonly checkpointDir: string;
  readonly checkpointInterval?: string;
  /** How many runs are killed before one may come to its end. */
  readonly kills: number;
  /** Until when, in milliseconds from its start, a run is killed. */
  readonly withinMs: number;
  /** Of all that is random. */
  readonly seed: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What happened, for the message of an assertion. */
export async function runWithCrashes(options: CrashOptions): Promise<string> {
  const { args, workers, checkpointDir, checkpointInterval = "100ms", kills, withinMs, env } = options;
  const random = randomOf(options.seed);
  const story = [`seed ${options.seed}`];
  for (let run = 0; ; run++) {
    const all = [
      "run",
      ...args,
      "--workers",
      String(workers[run % workers.length]),
      "--checkpoint-dir",
      checkpointDir,
      "--checkpoint-interval",
      checkpointInterval,
    ];
    const child = spawn(process.execPath, [command, ...all], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const timer =
      run < kills
        ? setTimeout(() => story.push(`run ${run}: killed ${kill(child, random)}`), FIRST_MS + random() * (withinMs - FIRST_MS))
        : setTimeout(() => child.kill("SIGKILL"), 50_000);
    const code = await ended;
    clearTimeout(timer);
    if (code === 0) return story.join("\n");
    if (code !== null) throw new Error(`run ${run} ended with ${code}, ${story.join("; ")}:\n${said}`);
    if (run >= kills) throw new Error(`run ${run} did not come to its end, ${story.join("; ")}:\n${said}`);
  }
}

/** Nothing happens earlier. */
const FIRST_MS = 300;

/** Kills the run, or one of its workers, which it goes on without. */
function kill(child: ChildProcess, random: () => number): string {
  const workers = workersOf(child.pid!);
  const pids = [child.pid!, child.pid!, ...workers];
  const pid = pids[Math.floor(random() * pids.length)];
  process.kill(pid, "SIGKILL");
  return pid === child.pid ? "whole" : "a worker of it";
}

function workersOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("worker-main")).map(Number);
  } catch {
    return []; // it has just ended, or the system is another one
  }
}

/** Numbers from 0 to 1, always the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
