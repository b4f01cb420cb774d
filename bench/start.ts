// From the start of the command to its first counted word: the job's output file appears in one piece, when it is complete.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { machineCpuSeconds, ownCpuSeconds, peakResidentBytes } from "./machine.js";
import type { Measured } from "./work.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const output = "bench/.data/start/counts.txt";

export const startTitle = "`beamstorm run examples/wordcount.ts`, from the start of the process to the first counts on disk";
export const startTarget = "1 s, 200 MB";

/** Runs the command once. */
export async function measureStart(): Promise<Measured> {
  rmSync(`${root}${output}`, { force: true });
  const machineBefore = machineCpuSeconds() ?? 0;
  const ownBefore = ownCpuSeconds();
  const start = performance.now();
  const command = ["dist/cli/main.js", "run", "examples/wordcount.ts", "--output", output];
  const child = spawn(process.execPath, command, { cwd: root, stdio: "ignore" });
  const exit = new Promise<number | null>((resolve, reject) => child.once("exit", resolve).once("error", reject));
  let seconds: number | undefined;
  let residentBytes = 0;
  const timer = setInterval(() => {
    if (seconds === undefined && existsSync(`${root}${output}`)) seconds = (performance.now() - start) / 1000;
    residentBytes = Math.max(residentBytes, peakResidentBytes(child.pid ?? 0));
  }, 5);
  const code = await exit;
  clearInterval(timer);
  if (code !== 0) throw new Error(`the command ended with ${code}`);
  const whole = (performance.now() - start) / 1000;
  const own = ownCpuSeconds() - ownBefore;
  const machine = (machineCpuSeconds() ?? 0) - machineBefore;
  return {
    size: 1,
    seconds: seconds ?? whole,
    rate: 1 / (seconds ?? whole),
    cores: own / whole,
    othersCores: Math.max(0, machine - own) / whole,
    residentBytes,
    idleBytes: 0,
    load: loadavg()[0],
  };
}
