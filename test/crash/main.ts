// `npm run test:crash [-- --kills N --seed S --only PIPELINE --jobs J]`: kills streaming pipelines, goes on with them, and compares what comes of it.
// Without --kills: a process dies once in each step of the protocol, and at a few other times. The seed gives all of a run's kills again.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CRASH_STEPS, type CrashStep } from "../../runner/checkpoint/crash-points.js";
import { describeKill, isSurvived, randomKill, type Kill } from "./kills.js";
import { Random } from "../support/random.js";
import { playScenario } from "./scenario.js";

const PIPELINES = ["leaderboard", "fraud", "sessions", "top-pages", "join"];
const WORKERS = [1, 3];
const COUNT = 3000;
const RATE = 1500;

interface Planned {
  readonly pipeline: string;
  readonly workers: number;
  readonly kills: readonly Kill[];
}

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    workers: { type: "string" },
    jobs: { type: "string" },
  },
});
const seed = values.seed === undefined ? Date.now() & 0x7fffffff : Number(values.seed);
const random = new Random(seed);
const pipelines = PIPELINES.filter((name) => values.only === undefined || name === values.only);
const workerCounts = WORKERS.filter((workers) => values.workers === undefined || workers === Number(values.workers));

/** Each step once, several with a pipeline. */
function* everyStep(): Generator<Planned> {
  const steps: Kill[] = [...CRASH_STEPS.worker, ...CRASH_STEPS.coordinator].map((step) => {
    const count = step === "frozen" ? 5 : step === "tidied" || step === "announced" ? 3 : step === "piece-complete" ? 2 : 1;
    return { kind: "step", step, count };
  });
  const others: Kill[] = [
    { kind: "time", whom: "worker", afterMs: 1500, which: random.below(3) },
    { kind: "time", whom: "all", afterMs: 1500, which: 0 },
  ];
  const last = steps.filter((kill) => kill.kind === "step" && kill.step === "completing");
  const shares = pipelines.map((pipeline, i): Planned & { kills: Kill[] } => ({ pipeline, workers: WORKERS[i % 2], kills: [] }));
  [...steps.filter((kill) => !last.includes(kill)), ...others].forEach((kill, i) => {
    // What kills a worker from outside needs one; `restoring` needs something to go on from.
    const share =
      kill.kind === "time" ? shares[1] : kill.kind === "step" && kill.step === "restoring" ? shares[0] : shares[i % shares.length];
    share.kills.push(kill);
  });
  shares[2].kills.push(...last);
  for (const { pipeline, workers, kills } of shares) yield { pipeline, workers, kills: inTurn(kills, workers) };
}

/** Behind those that end a run those that need a checkpoint to go on from, and then those that a run survives: it comes to its end. */
function inTurn(kills: readonly Kill[], workers: number): Kill[] {
  const isLate = (kill: Kill): boolean => kill.kind === "step" && (kill.step === "restoring" || kill.step === "completing");
  const turn = (kill: Kill): number => (isSurvived(kill, workers) ? 2 : isLate(kill) ? 1 : 0);
  return [...kills].sort((a, b) => turn(a) - turn(b));
}

/** Those that the pipelines of {@link everyStep} came to their ends before: how often a process comes to a step depends on the machine's speed. */
function* missedSteps(): Generator<Planned> {
  const [pipeline, workers] = [pipelines[0], WORKERS[0]];
  const once = (step: CrashStep): Kill => ({ kind: "step", step, count: 1 });
  const missed = notTaken();
  if (missed.length > 0) yield { pipeline, workers, kills: [once("announced"), ...inTurn(missed.map(once), workers)] };
}

/** Until so many have taken place: a pipeline may come to its end before some that are planned. */
function* atRandom(count: number): Generator<Planned> {
  while (taken < count) {
    const workers = random.pick(workerCounts);
    const kills = Array.from({ length: 1 + random.below(6) }, () => randomKill(random, workers));
    yield { pipeline: random.pick(pipelines), workers, kills };
  }
}

let taken = 0;
let planned = 0;
let failures = 0;
const byKind = new Map<string, number>();
const started = performance.now();
console.log(`seed ${seed}`);
const folder = await mkdtemp(join(tmpdir(), "beamstorm-crash-"));

async function play(all: Iterator<Planned>): Promise<void> {
  for (let next = all.next(); next.done !== true; next = all.next()) {
    const { pipeline, workers, kills } = next.value;
    const number = ++planned;
    const { expected } = (await import(`./pipelines/${pipeline}.ts`)) as { expected: (count: number) => string[] };
    const own = join(folder, String(number));
    const outcome = await playScenario({ pipeline, workers, kills, expected: expected(COUNT), folder: own, count: COUNT, rate: RATE });
    taken += outcome.kills.length;
    for (const kill of outcome.kills) byKind.set(kindOf(kill), (byKind.get(kindOf(kill)) ?? 0) + 1);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${seconds} s, ${taken} kills: ${number} ${pipeline}, workers: ${workers}: ${kills.map(describeKill).join("; ")}`);
    if (outcome.wrong === undefined) continue;
    failures++;
    console.log(`FAILED (seed ${seed}, scenario ${number}, files in ${own}): ${outcome.wrong}\n  ${outcome.log.join("\n  ")}`);
  }
}

/** What the figures at the end are about. */
const kindOf = (kill: Kill): string => (kill.kind === "step" ? kill.step : `${kill.whom} at some time`);

const notTaken = (): CrashStep[] => [...CRASH_STEPS.worker, ...CRASH_STEPS.coordinator].filter((step) => !byKind.has(step));

const all = values.kills === undefined ? everyStep() : atRandom(Number(values.kills));
await Promise.all(Array.from({ length: Number(values.jobs ?? 2) }, () => play(all)));
if (values.kills === undefined) await play(missedSteps());
const figures = [...byKind].map(([kind, times]) => `${kind} ${times}`).sort();
console.log(`kills: ${figures.join(", ")}`);
if (values.kills === undefined) {
  for (const step of notTaken()) {
    failures++;
    console.log(`FAILED: nobody has come to the step "${step}"`);
  }
}
console.log(`${planned} pipelines with ${taken} kills in ${((performance.now() - started) / 1000).toFixed(0)} s, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
