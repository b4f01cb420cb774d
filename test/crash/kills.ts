// One way to kill a job: which of its processes, and when.
import { readFileSync } from "node:fs";
import { CRASH_STEPS, type CrashStep } from "../../runner/checkpoint/crash-points.js";
import type { Random } from "../support/random.js";

/** At some time after the start, in milliseconds, from outside; or the process that comes to a step of the protocol for the so-many-th time. */
export type Kill =
  | { readonly kind: "time"; readonly whom: "main" | "worker" | "all"; readonly afterMs: number; readonly which: number }
  | { readonly kind: "step"; readonly step: CrashStep; readonly count: number };

const STEPS: readonly CrashStep[] = [...CRASH_STEPS.worker, ...CRASH_STEPS.coordinator];
/** Steps that a run comes to only once, or only if it goes on from a checkpoint. */
const FEW: readonly CrashStep[] = ["job-named", "generation-begun", "gone-on", "completing", "restoring"];

export function randomKill(random: Random, workers: number): Kill {
  if (random.below(2) === 0) {
    const step = random.pick(STEPS);
    const count = FEW.includes(step) ? 1 : 1 + random.below(step === "merging" || step === "merged" ? 2 : 12);
    return { kind: "step", step, count };
  }
  const whom = random.pick(workers === 1 ? (["main"] as const) : (["main", "worker", "worker", "all"] as const));
  return { kind: "time", whom, afterMs: 300 + random.below(2500), which: random.below(1000) };
}

/** Whether the run goes on by itself behind it: others of its processes take the place of those that die. */
export const isSurvived = (kill: Kill, workers: number): boolean =>
  workers > 1 && (kill.kind === "time" ? kill.whom === "worker" : (CRASH_STEPS.worker as readonly CrashStep[]).includes(kill.step));

/** Most losses that a run is made to survive, well below those after which it fails. */
const MOST_SURVIVED = 3;

/** Puts kills together that one run may meet: several that it survives, and one that it does not. */
export function intoRuns(kills: readonly Kill[], workers: number): Kill[][] {
  const runs: Kill[][] = [[]];
  for (const kill of kills) {
    runs[runs.length - 1].push(kill);
    if (!isSurvived(kill, workers) || runs[runs.length - 1].length > MOST_SURVIVED) runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

export function describeKill(kill: Kill): string {
  if (kill.kind === "step") return `at ${kill.step} for the ${kill.count}. time`;
  return `${kill.whom}${kill.whom === "worker" ? ` (${kill.which})` : ""} after ${kill.afterMs} ms`;
}

/** The processes that a process has started and that still run. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Those of them that are workers, and not, say, a compiler's. */
export function workersOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, "latin1").includes("worker-main");
    } catch {
      return false;
    }
  });
}

export function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}
