// Runs one pipeline with checkpoints, kills it as often as is wanted, goes on with the same command each time, and looks at what is there at the end.
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { childrenOf, describeKill, intoRuns, isRunning, workersOf, type Kill } from "./kills.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** A run that takes longer hangs. */
const LIMIT_MS = 60_000;
export interface Scenario {
  readonly pipeline: string;
  readonly workers: number;
  /** Taken in this order, unless the pipeline comes to its end before. */
  readonly kills: readonly Kill[];
  readonly expected: readonly string[];
  /** Made for the scenario; gone behind it if all was well. */
  readonly folder: string;
  readonly count: number;
  readonly rate: number;
}

export interface Outcome {
  /** Those that have taken place. */
  readonly kills: readonly Kill[];
  /** What was wrong; undefined if nothing was. */
  readonly wrong: string | undefined;
  /** What was done, for people. */
  readonly log: readonly string[];
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly killed: readonly Kill[];
}

export async function playScenario(scenario: Scenario): Promise<Outcome> {
  const { folder, workers } = scenario;
  await mkdir(join(folder, "tmp"), { recursive: true });
  const log: string[] = [];
  const pids = new Set<number>();
  const runs = intoRuns(scenario.kills, workers);
  const kills: Kill[] = [];
  let wrong: string | undefined;
  for (let run = 0; ; run++) {
    const { code, stderr, killed } = await runOnce(scenario, run, runs[run] ?? [], pids);
    kills.push(...killed);
    log.push(`run ${run + 1} ended with ${code}; killed ${killed.map(describeKill).join("; ") || "not at all"}`);
    if (code === 0) break;
    if (code !== null || killed.length === 0 || run > runs.length) wrong = `run ${run + 1} ended with ${code}:\n${stderr.slice(-3000)}`;
    if (wrong !== undefined) break;
  }
  await allGone(pids);
  wrong ??= (await differenceOf(scenario)) ?? (await leftOverIn(join(folder, "checkpoints")));
  if (wrong === undefined) await rm(folder, { recursive: true, force: true });
  return { kills, wrong, log };
}

async function runOnce(scenario: Scenario, run: number, kills: readonly Kill[], pids: Set<number>): Promise<Ended> {
  const { pipeline, workers, folder, count, rate } = scenario;
  const marks = kills.map((_, i) => join(folder, `crashed-${run}-${i}`));
  const crashes = kills.flatMap((kill, i) => (kill.kind === "step" ? [`${kill.step}:${kill.count}:${marks[i]}`] : []));
  const given = {
    ...{ workers, count, rate, output: join(folder, "results") },
    ...{ "checkpoint-dir": join(folder, "checkpoints"), "checkpoint-interval": "40ms" },
  };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ["dist/cli/main.js", "run", `test/crash/pipelines/${pipeline}.ts`, ...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...env, TMPDIR: join(folder, "tmp"), BEAMSTORM_CRASH_AT: crashes.join() },
  });
  const pid = child.pid!;
  pids.add(pid);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const timers = kills.map((kill, i) => setTimeout(() => killAt(kill, pid, marks[i]), kill.kind === "time" ? kill.afterMs : 0));
  let isTooLong = false;
  const limit = setTimeout(() => {
    isTooLong = true;
    for (const each of [...childrenOf(pid), pid]) end(each);
  }, LIMIT_MS);
  const watching = setInterval(() => childrenOf(pid).forEach((each) => pids.add(each)), 20);
  const code = await ended;
  for (const timer of [...timers, limit]) clearTimeout(timer);
  clearInterval(watching);
  const killed = kills.filter((_kill, i) => existsSync(marks[i]));
  return isTooLong ? { code: -1, stderr: `it had no end after ${LIMIT_MS} ms\n${stderr}`, killed } : { code, stderr, killed };
}

/** Kills from outside, and marks that it has. */
function killAt(kill: Kill, pid: number, mark: string): void {
  if (kill.kind !== "time") return;
  const children = workersOf(pid);
  const one = children.slice(kill.which % children.length, (kill.which % children.length) + 1);
  const whom = { main: [pid], all: [...children, pid], worker: one }[kill.whom];
  if (whom.map(end).includes(true)) writeFileSync(mark, "");
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // it has ended
  }
}

/** Workers end by themselves when their coordinator is gone. */
async function allGone(pids: ReadonlySet<number>): Promise<void> {
  for (let i = 0; i < 500 && [...pids].some(isRunning); i++) await sleep(20);
}

async function differenceOf({ folder, expected }: Scenario): Promise<string | undefined> {
  const text = await readFile(join(folder, "results"), "utf8").catch(() => "");
  const found = text.trimEnd().split("\n");
  const left = new Map<string, number>();
  for (const line of expected) left.set(line, (left.get(line) ?? 0) + 1);
  const unexpected = found.filter((line) => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times <= 0;
  });
  const missing = [...left].filter(([, times]) => times > 0).map(([line]) => line);
  if (unexpected.length === 0 && missing.length === 0) return undefined;
  const some = (lines: readonly string[]): string =>
    lines
      .slice(0, 8)
      .map((line) => `\n    ${line.slice(0, 500)}`)
      .join("");
  return `results differ:\n  ${missing.length} missing${some(missing)}\n  ${unexpected.length} unexpected${some(unexpected)}`;
}

/** Nothing but what a later run would go on from. */
async function leftOverIn(folder: string): Promise<string | undefined> {
  const names = async (of: string): Promise<string[]> => (await readdir(join(folder, of))).sort();
  const manifests = await names("epochs");
  const pieces = await names("pieces");
  const parts = [...(await names(".")), ...manifests, ...pieces].filter((name) => name.endsWith(".part"));
  if (parts.length > 0) return `temporary files are left over: ${parts.join(", ")}`;
  if (manifests.length === 0) return "there is no manifest";
  const needed = new Set<string>();
  for (const name of manifests) {
    const [line] = (await readFile(join(folder, "epochs", name), "utf8")).split("\n");
    for (const piece of (JSON.parse(line) as { pieces: { name: string }[] }).pieces) needed.add(piece.name);
  }
  const others = pieces.filter((name) => !needed.has(name));
  const absent = [...needed].filter((name) => !pieces.includes(name));
  if (others.length > 0) return `pieces are left over that no manifest names: ${others.join(", ")}`;
  return absent.length > 0 ? `pieces are missing that manifests name: ${absent.join(", ")}` : undefined;
}
