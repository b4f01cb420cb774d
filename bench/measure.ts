// `node measure.js WORK SIDE SIZE WARM_UP_SIZE`: does a work once to warm up and once to measure, prints the result as JSON.
import { loadavg } from "node:os";
import { childrenOf, machineCpuSeconds, ownCpuSeconds } from "./machine.js";
import type { Measured } from "./work.js";
import { loadWork } from "./works.js";

const [workName, sideName] = process.argv.slice(2, 4);
const [size, warmUpSize] = process.argv.slice(4, 6).map(Number);

const work = await loadWork(workName);
const side = work.sides.find(({ name }) => name === sideName);
if (side === undefined) throw new Error(`${workName} has no side "${sideName}"`);

const idleBytes = process.memoryUsage.rss();
if (warmUpSize > 0) {
  await side.run(warmUpSize);
  side.check?.(warmUpSize);
}
await childrenEnd();

const machineBefore = machineCpuSeconds();
const ownBefore = ownCpuSeconds();
const start = performance.now();
await side.run(size);
const elapsed = (performance.now() - start) / 1000;
const seconds = side.seconds?.() ?? elapsed;
await childrenEnd(); // whose time counts only then
const own = ownCpuSeconds() - ownBefore;
const machine = (machineCpuSeconds() ?? 0) - (machineBefore ?? 0);

const measured: Measured = {
  size,
  seconds,
  rate: size / seconds,
  cores: own / elapsed,
  othersCores: Math.max(0, machine - own) / elapsed,
  residentBytes: process.resourceUsage().maxRSS * 1024,
  idleBytes,
  load: loadavg()[0],
  latency: side.latency?.(),
};
side.check?.(size);
process.stdout.write(`\n${JSON.stringify(measured)}\n`);

async function childrenEnd(): Promise<void> {
  for (let i = 0; i < 200 && childrenOf(process.pid).length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
}
