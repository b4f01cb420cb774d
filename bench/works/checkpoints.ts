import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  combining,
  filter,
  flatMap,
  countPerElement,
  map,
  pipeline,
  run,
  sequence,
  statefulParDo,
  sumFn,
  withKeys,
  option,
} from "beamstorm";
import { local } from "beamstorm/local";
import { sentences, WORDS_PER_ROUND, WORDS_PER_SENTENCE } from "../text.js";
import { expectEqual, type Side, type Work } from "../work.js";

const KEYS = 1_000_000;
let total = 0;

const size = option.number({ default: 1, help: "elements" });

/** From a source in as many bundles as there are: a barrier comes between two of them. */
const words = pipeline({
  options: { size },
  build: (p, options) =>
    p
      .apply(sequence({ to: options.size / WORDS_PER_SENTENCE, parallelism: 1, timestampOf: () => 0 }))
      .apply(map("sentences", (n) => sentences[n % sentences.length]))
      .apply(flatMap("split", (line) => line.split(" ")))
      .apply(countPerElement("count"))
      .apply(
        filter("add up", ({ value }) => {
          total += value;
          return false;
        }),
      ),
});

const sums = pipeline({
  options: { size },
  build: (p, options) =>
    p
      .apply(sequence({ to: options.size, parallelism: 1, timestampOf: () => 0 }))
      .apply(withKeys((n: number) => (n * 7919) % KEYS))
      .apply(
        statefulParDo("sum", {
          state: { sum: combining(sumFn) },
          process(_, { state, emit }) {
            state.sum.add(1);
            emit(state.sum.read());
          },
        }),
      )
      .apply(
        filter("last", () => {
          total++;
          return false;
        }),
      ),
});

function side(name: string, definition: typeof words, withCheckpoints: boolean, peerOf?: string, share = 1): Side {
  return {
    name,
    share,
    ...(peerOf === undefined ? {} : { peerOf }),
    async run(elements) {
      total = 0;
      const checkpointDir = mkdtempSync(join(tmpdir(), "beamstorm-bench-"));
      try {
        await run(definition, { size: elements }, local(withCheckpoints ? { checkpointDir, checkpointIntervalMs: 1000 } : {}));
      } finally {
        rmSync(checkpointDir, { recursive: true });
      }
      expectEqual(total, elements, "elements");
    },
  };
}

const SUM_SHARE = 1 / 10;

export const work: Work = {
  title: "words counted, and sums of a million keys, with a checkpoint each second",
  unit: "elements",
  target: "words 4.5 M/s; sums 350 k/s; less than 10 % slower than without",
  size: 2000 * WORDS_PER_ROUND,
  quickSize: 400 * WORDS_PER_ROUND,
  warmUpSize: 100 * WORDS_PER_ROUND,
  sides: [
    side("words", words, true),
    side("words without checkpoints", words, false, "words"),
    side("sums", sums, true, "sums", SUM_SHARE),
    side("sums without checkpoints", sums, false, "sums", SUM_SHARE),
  ],
};
