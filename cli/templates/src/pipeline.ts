import { countPerElement, csv, flatMap, map, option, pipeline, textIO, topGlobally } from "beamstorm";

/** The words of a line, in lower case. */
export function wordsOf(line: string): string[] {
  return line.toLowerCase().match(/\p{L}+/gu) ?? [];
}

/** The most frequent words of some text, as CSV. */
export default pipeline({
  options: {
    input: option.string({ default: "data/*.txt", help: "text files to read" }),
    output: option.string({ default: "out/words.csv", help: "file to write" }),
    top: option.int({ default: 10, min: 1, help: "how many words" }),
  },
  build: (p, { input, output, top }) =>
    p
      .apply(textIO.read(input))
      .apply(flatMap("split", wordsOf))
      .apply(countPerElement())
      .apply(topGlobally(top, (a, b) => a.value - b.value))
      .apply(flatMap("each", (words) => words))
      .apply(map("record", ({ key, value }) => ({ word: key, count: value })))
      .apply(csv.write(output, ["word", "count"])),
});
