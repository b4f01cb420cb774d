import { run } from "beamstorm";
import { local } from "beamstorm/local";
import { WORDS_PER_ROUND } from "../text.js";
import { apacheBeam, expectWords, loop, oneSource } from "../word-count.js";
import type { Work } from "../work.js";

export const work: Work = {
  title: "word count in memory: sentences of six words, split, counted per word",
  unit: "words",
  target: "5 M words/s, half of the hand-written loop, 10 × apache-beam",
  size: 320 * WORDS_PER_ROUND,
  quickSize: 80 * WORDS_PER_ROUND,
  warmUpSize: 40 * WORDS_PER_ROUND,
  sides: [
    {
      name: "beamstorm",
      async run(size) {
        await run(oneSource, { rounds: size / WORDS_PER_ROUND }, local());
        expectWords(size);
      },
    },
    { name: "hand-written loop", run: loop },
    { name: "apache-beam", share: 0.1, run: apacheBeam },
  ],
};
