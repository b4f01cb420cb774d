// Runs every measurement in a process of its own, the sides of a work in turn, and prints the medians.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { peakResidentBytes } from "./machine.js";
import { runJvmPeers } from "./jvm-peers.js";
import { printJson, printMachine, printResult, type Result, type SideResult } from "./report.js";
import { measureStart, startTarget, startTitle } from "./start.js";
import type { Measured, Side, Work } from "./work.js";
import { loadWork, peerWorkNames, workNames } from "./works.js";

const usage = `npm run bench -- [NAME …] [--quick] [--json] [--peers] [--repetitions N] [--side TEXT]
NAME is one of ${[...workNames, ...peerWorkNames].join(", ")}, start, coders; without any, all but those that need peers are measured.`;

const { values: flags, positionals: filters } = parse();
const repetitions = Number(flags.repetitions);
if (!(Number.isInteger(repetitions) && repetitions > 0)) refuse(`--repetitions must be a whole number above 0, not ${flags.repetitions}`);

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const works = flags.peers || filters.length > 0 ? [...workNames, ...peerWorkNames] : workNames;
// "python" stands for all that Python does.
const wanted = (name: string): boolean =>
  filters.length === 0 || filters.includes(name) || (filters.includes("python") && name.startsWith("python-"));
const unknown = filters.find((filter) => ![...workNames, ...peerWorkNames, "start", "coders"].includes(filter as "maps"));
if (unknown !== undefined) refuse(`there is no measurement "${unknown}"`);

const results: Result[] = [];
let coders: unknown;
if (!flags.json) printMachine(repetitions);
for (const name of works) if (wanted(name)) report(await measureWork(name, await loadWork(name)));
if (wanted("start")) report(await measureStarts());
if (wanted("coders") && existsSync(here("coders.js"))) {
  const { code, output } = await nodeProcess(["coders.js", ...(flags.json ? ["--json"] : [])]);
  if (code !== 0) throw new Error(`the coders' measurement ended with ${code}`);
  if (flags.json) coders = JSON.parse(output);
  else console.log(`\ncoders: elements as they travel between processes\n${output.trimEnd()}`);
}
if (flags.peers) for (const line of await runJvmPeers(repetitions)) (flags.json ? console.error : console.log)(line);
if (flags.json) printJson(results, coders);

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        peers: { type: "boolean", default: false },
        repetitions: { type: "string", default: "3" },
        side: { type: "string" },
      },
    });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function refuse(message: string): never {
  console.error(`beamstorm: ${message}\n${usage}`);
  process.exit(2);
}

function report(result: Result): void {
  results.push(result);
  if (!flags.json) printResult(result);
}

async function measureWork(name: string, work: Work): Promise<Result> {
  const size = flags.quick ? work.quickSize : work.size;
  await work.prepare?.([size, work.warmUpSize]);
  const sides = work.sides.filter((side) => flags.side === undefined || side.name.includes(flags.side)).filter(isThere);
  const measured = new Map<string, Measured[]>(sides.map((side) => [side.name, []]));
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const side of sides) {
      const share = side.share ?? 1;
      measured.get(side.name)?.push(await measureSide(name, side.name, size * share, work.warmUpSize * share));
    }
  const ofSide = ({ name: sideName, peerOf }: Side): SideResult => ({ name: sideName, peerOf, runs: measured.get(sideName) ?? [] });
  return {
    name,
    title: work.title,
    unit: work.unit,
    target: work.target,
    comment: work.comment,
    sides: sides.map(ofSide),
  };
}

function isThere({ name, isThere: isInstalled }: Side): boolean {
  if (isInstalled?.() === false) {
    console.error(`${name} is left out: it is not installed`);
    return false;
  }
  if (name !== "apache-beam" || process.env["BEAMSTORM_BENCH_PEER"] !== "none") return true;
  console.error("apache-beam is left out: it is not installed");
  return false;
}

async function measureSide(work: string, side: string, size: number, warmUpSize: number): Promise<Measured> {
  const { code, output, residentBytes } = await nodeProcess(["measure.js", work, side, String(size), String(warmUpSize)]);
  if (code !== 0) throw new Error(`${work}, ${side}: ended with ${code}`);
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const own = JSON.parse(last) as Measured;
  return { ...own, residentBytes: Math.max(own.residentBytes, residentBytes) };
}

/** Runs one of our programs, and looks at its memory and its children's ten times a second. */
async function nodeProcess([program, ...args]: string[]): Promise<{ code: number | null; output: string; residentBytes: number }> {
  const child = spawn(process.execPath, [here(program), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  let residentBytes = 0;
  const timer = setInterval(() => (residentBytes = Math.max(residentBytes, peakResidentBytes(child.pid ?? 0))), 100);
  const code = await new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  clearInterval(timer);
  return { code, output, residentBytes };
}

async function measureStarts(): Promise<Result> {
  const runs: Measured[] = [];
  await measureStart(); // fills the system's file cache
  for (let repetition = 0; repetition < repetitions; repetition++) runs.push(await measureStart());
  return { name: "start", title: startTitle, unit: "seconds", target: startTarget, sides: [{ name: "beamstorm", runs }] };
}
