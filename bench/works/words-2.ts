import { run } from "beamstorm";
import { local } from "beamstorm/local";
import { WORDS_PER_ROUND } from "../text.js";
import { expectWordsSplit, sharedSource } from "../word-count.js";
import type { Work } from "../work.js";

const module = new URL("../word-count.js", import.meta.url).href;

async function runOn(workers: number, size: number): Promise<void> {
  const runner = local({ workers, module, exportName: "sharedSource" });
  expectWordsSplit(await run(sharedSource, { rounds: size / WORDS_PER_ROUND }, runner), size);
}

export const work: Work = {
  title: "word count in memory by worker processes, each making its share; the start of the workers is part of the time",
  unit: "words",
  target: "8 M words/s with two workers on two cores",
  size: 1280 * WORDS_PER_ROUND,
  quickSize: 320 * WORDS_PER_ROUND,
  warmUpSize: 64 * WORDS_PER_ROUND,
  sides: [
    { name: "beamstorm, 2 workers", run: (size) => runOn(2, size) },
    { name: "beamstorm, 1 worker", run: (size) => runOn(1, size) },
  ],
};
