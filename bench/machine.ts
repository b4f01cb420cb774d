// How busy this machine is, and with what: from /proc where there is one.
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second. */
const TICK = 0.01;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Seconds of processor time that this process has used, with its children that have ended. */
export function ownCpuSeconds(): number {
  const stat = read("/proc/self/stat");
  if (stat === undefined) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from field 3 on
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * TICK;
}

/** Seconds of processor time that the whole machine has used; undefined where nobody tells. */
export function machineCpuSeconds(): number | undefined {
  const first = read("/proc/stat")?.split("\n", 1)[0];
  if (first === undefined) return undefined;
  const [user, nice, system, , , irq, softirq] = first.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) * TICK;
}

/** Children of a process, by id. */
export function childrenOf(pid: number): number[] {
  const ids: number[] = [];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      for (const id of (read(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ")) if (id.trim() !== "") ids.push(Number(id));
  } catch {
    // It has ended.
  }
  return ids;
}

/** The highest resident memory so far of a process and its children that live, in bytes; 0 where nobody tells. */
export function peakResidentBytes(pid: number): number {
  const kilobytes = Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
  return childrenOf(pid).reduce((sum, child) => sum + peakResidentBytes(child), kilobytes * 1024);
}
