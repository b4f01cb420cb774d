import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { flatten, option, pipeline, sequence, statefulParDo, value, withKeys } from "beamstorm";
import { local } from "beamstorm/local";
import { childrenOf } from "../machine.js";
import type { Percentiles, Side, Work } from "../work.js";

const VALUE_BYTES = 1000;
const BEATS_PER_SECOND = 500;
let recoveries: number[] = [];

/** Keys with a value each; beats, which are negative numbers, are written down as they come through the same transform. */
export const beating = pipeline({
  options: { keys: option.int({ default: 1000 }), beats: option.string({ default: "" }) },
  build(p, { keys, beats }) {
    const elements = p.apply(sequence({ name: "load", to: keys, timestampOf: () => 0 }));
    const beat = p.apply(sequence({ name: "beats", perSecond: BEATS_PER_SECOND, parallelism: 1, from: keys, timestampOf: () => 0 }));
    p.apply(flatten([elements, beat]))
      .apply(withKeys((n: number) => (n < keys ? n : -(n % 64) - 1)))
      .apply(
        statefulParDo("keep", {
          state: { text: value<string>() },
          process({ key }: { key: number; value: number }, { state }) {
            if (key >= 0) state.text.write(String(key).padStart(VALUE_BYTES, "."));
            else appendFileSync(beats, `${Date.now()}\n`);
          },
        }),
      );
  },
});

/** Milliseconds from the instant on to the end of the longest time without a beat behind it. */
function pauseAfter(instant: number, file: string): number {
  const beats = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map(Number)
    .sort((a, b) => a - b);
  let longest = 0;
  let end = instant;
  for (let i = 1; i < beats.length; i++) {
    if (beats[i] < instant || beats[i] - beats[i - 1] <= longest) continue;
    longest = beats[i] - beats[i - 1];
    end = beats[i];
  }
  return end - instant;
}

function side(workers: number): Side {
  return {
    name: `${workers} workers`,
    share: 1,
    async run(keys) {
      const folder = mkdtempSync(join(tmpdir(), "beamstorm-bench-"));
      const beats = join(folder, "beats");
      const checkpointDir = join(folder, "checkpoints");
      try {
        const runner = local({ workers, module: import.meta.url, exportName: "beating", checkpointDir, checkpointIntervalMs: 500 });
        const run = await runner.start(beating, { keys, beats });
        const ended = run.result().catch(() => {});
        run.messages$.subscribe({ next: (message) => process.env.BENCH_VERBOSE && console.error(Date.now(), message), error() {} });
        const isIn = (bytes: number): boolean => bytesIn(join(checkpointDir, "pieces")) >= bytes;
        while (!isIn(keys * VALUE_BYTES)) await sleep(200);
        await sleep(3000); // of the beats alone: what was merged meanwhile is read with the rest
        const killed = Date.now();
        process.kill(childrenOf(process.pid)[0], "SIGKILL");
        const seen = (): number =>
          readFileSync(beats, "utf8")
            .trim()
            .split("\n")
            .map(Number)
            .filter((at) => at > killed + 500).length;
        await sleep(500);
        while (seen() < BEATS_PER_SECOND) await sleep(200);
        recoveries.push(pauseAfter(killed, beats));
        await run.cancel();
        await ended;
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    latency(): Percentiles {
      const ms = recoveries[recoveries.length - 1];
      recoveries = [];
      return { count: 1, p50: ms, p99: ms, max: ms };
    },
  };
}

function bytesIn(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + (name.endsWith(".part") ? 0 : sizeOf(join(folder, name))), 0);
  } catch {
    return 0;
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

export const work: Work = {
  title: "from a worker's death to elements flowing again, with a kilobyte of state for each key",
  unit: "latency",
  target: "less than 3 s with 1 GB",
  size: 1_000_000,
  quickSize: 100_000,
  warmUpSize: 0,
  sides: [side(2), side(3)],
};
