import {
  combining,
  countFn,
  filter,
  fixed,
  flatMap,
  groupByKey,
  map,
  pipeline,
  repeatedly,
  afterCount,
  run,
  seconds,
  sequence,
  statefulParDo,
  output,
  windowInto,
  withKeys,
  type PCollection,
} from "beamstorm";
import { local } from "beamstorm/local";
import { Latencies } from "../latencies.js";
import { expectEqual, type Side, type Work } from "../work.js";

const PER_SECOND = 1000;
const WORDS = 6;
const sentences = Array.from({ length: 1000 }, (_, i) =>
  Array.from({ length: WORDS }, (_, w) => `word${(i * 7 + w * 131) % 1000}`).join(" "),
);

interface Word {
  readonly word: string;
  /** When its sentence was put out by the source. */
  readonly at: number;
}

const latencies = new Latencies();

/** Sentences at a rate, split; the delay is that from the source to the count of each of their words. */
const ours = (name: string, count: (words: PCollection<Word>) => PCollection<Word>): Side => ({
  name,
  peerOf: name,
  async run(size) {
    latencies.clear();
    let counted = 0;
    await run(
      pipeline((p) =>
        count(
          p
            .apply(sequence({ to: size, perSecond: PER_SECOND }))
            .apply(map("sentence", (n) => ({ sentence: sentences[n % sentences.length], at: performance.now() })))
            .apply(flatMap("split", ({ sentence, at }) => sentence.split(" ").map((word) => ({ word, at })))),
        ).apply(
          filter("measure", ({ at }) => {
            latencies.record(performance.now() - at);
            counted++;
            return false;
          }),
        ),
      ),
      {},
      local(),
    );
    expectEqual(counted, size * WORDS, "words");
  },
  latency: () => latencies.percentiles(),
});

export const work: Work = {
  title: `from the source to the count of each word, at ${PER_SECOND} sentences a second`,
  unit: "latency",
  target: "median 0.1 ms, 99 % 1 ms",
  size: 10_000,
  quickSize: 3000,
  warmUpSize: 3000,
  sides: [
    ours("count in state", (words) =>
      words.apply(withKeys(({ word }) => word)).apply(
        statefulParDo("count", {
          state: { count: combining(countFn) },
          outputs: output<Word>(),
          process({ value }, { state, emit }) {
            state.count.add(value);
            if (state.count.read() > 0) emit(value);
          },
        }),
      ),
    ),
    ours("group of every element", (words) =>
      words
        .apply(windowInto(fixed(seconds(1)), { trigger: repeatedly(afterCount(1)), allowedLatenessMs: seconds(1) }))
        .apply(withKeys(({ word }) => word))
        .apply(groupByKey())
        .apply(flatMap("words", ({ value }) => value)),
    ),
  ],
};
