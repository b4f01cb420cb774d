// The text that every word count here reads: 5 000 sentences of 6 words from a vocabulary of 10 000, a few words far more
// frequent than the rest.

const VOCABULARY = 10_000;
const SENTENCES = 5_000;
export const WORDS_PER_SENTENCE = 6;
/** Words of all sentences, once. */
export const WORDS_PER_ROUND = SENTENCES * WORDS_PER_SENTENCE;

/** The sentences, the same in every process. */
export const sentences: readonly string[] = makeSentences(SENTENCES, WORDS_PER_SENTENCE);

/** Sentences of any length from the same vocabulary. */
export function makeSentences(count: number, words: number): string[] {
  const vocabulary = makeVocabulary();
  const random = generator(42);
  const pick = (): string => vocabulary[Math.floor(VOCABULARY ** random()) % VOCABULARY];
  return Array.from({ length: count }, () => Array.from({ length: words }, pick).join(" "));
}

function makeVocabulary(): string[] {
  const words = new Set<string>();
  for (let i = 0; words.size < VOCABULARY; i++) {
    const word = wordOf(i);
    words.add(words.has(word) ? word + i : word);
  }
  return [...words];
}

/** 3 to 10 letters. */
function wordOf(index: number): string {
  let i = (index * 2_654_435_761) % 2 ** 32;
  const length = 3 + (i % 8);
  let word = "";
  for (let k = 0; k < length; k++) {
    word += String.fromCharCode(97 + (i % 26));
    i = Math.floor(i / 3) + k * 7919;
  }
  return word;
}

/** Numbers in [0, 1): mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
