// Pipelines that count the words of sentences in memory, and the loops that do the same.
import {
  countPerElement,
  create,
  filter,
  flatMap,
  option,
  parDo,
  pipeline,
  reshuffle,
  type KV,
  type PCollection,
  type RunMetrics,
} from "beamstorm";
import { loadPeer, peerSink } from "./apache-beam.js";
import { sentences, WORDS_PER_ROUND } from "./text.js";
import { expectEqual } from "./work.js";

/** Words that the sinks of this process have got counts of. */
export const counted = { words: 0 };

const emitSentences = parDo("sentences", {
  process(rounds: number, { emit }: { emit: (sentence: string) => void }) {
    for (let round = 0; round < rounds; round++) for (const sentence of sentences) emit(sentence);
  },
});

/** From lines to a sink that adds all counts up and drops them. */
export function countWords(lines: PCollection<string>): PCollection<KV<string, number>> {
  return lines
    .apply(flatMap("split", (line) => line.split(" ")))
    .apply(countPerElement("count"))
    .apply(
      filter("add up", ({ value }) => {
        counted.words += value;
        return false;
      }),
    );
}

/** One call makes all sentences. */
export const oneSource = pipeline({
  options: { rounds: option.number({ default: 1, help: "how often all sentences are counted" }) },
  build: (p, { rounds }) => countWords(p.apply(create([rounds])).apply(emitSentences)),
});

/** Each of 64 calls makes its share, wherever it is. */
export const sharedSource = pipeline({
  options: { rounds: option.number({ default: 64, help: "how often all sentences are counted" }) },
  build: (p, { rounds }) =>
    countWords(
      p
        .apply(create(Array.from({ length: 64 }, () => rounds / 64)))
        .apply(reshuffle("spread"))
        .apply(emitSentences),
    ),
});

export function expectWords(size: number): void {
  expectEqual(counted.words, size, "words counted");
  counted.words = 0;
}

/** Where sinks are in other processes: what the run itself says. */
export function expectWordsSplit({ elements }: RunMetrics, size: number): void {
  expectEqual(elements.get("split"), size, "words split");
}

export function loop(size: number): void {
  const counts = new Map<string, number>();
  const rounds = size / WORDS_PER_ROUND;
  for (let round = 0; round < rounds; round++)
    for (const sentence of sentences) for (const word of sentence.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const count of counts.values()) counted.words += count;
  expectWords(size);
}

export async function apacheBeam(size: number): Promise<void> {
  peerSink.sentences = sentences;
  peerSink.add = (n) => {
    counted.words += n;
  };
  const beam = loadPeer();
  await beam.run((root) => {
    root
      .apply(beam.create([size / WORDS_PER_ROUND]))
      .flatMap(function* emitSentences(rounds: number) {
        for (let round = 0; round < rounds; round++) yield* (globalThis as any).peerSink.sentences as string[];
      })
      .flatMap((line: string) => line.split(" "))
      .apply(beam.countPerElement<string>())
      .flatMap(function addUp({ count }) {
        (globalThis as any).peerSink.add(count);
        return [];
      });
  });
  expectWords(size);
}
