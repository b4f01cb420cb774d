// Counts the words of text files and writes one line a word.
//
//   npx beamstorm run examples/wordcount.ts --input 'examples/data/*.txt' --output out/counts.txt
import { countPerElement, flatMap, map, option, pipeline, textIO } from "beamstorm";

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/*.txt", help: "files to read" }),
    output: option.string({ default: "out/wordcount/counts.txt", help: "file to write" }),
  },
  build: (p, { input, output }) =>
    p
      .apply(textIO.read(input))
      .apply(flatMap("split", (line) => line.toLowerCase().match(/\p{L}+/gu) ?? []))
      .apply(countPerElement())
      .apply(map("format", ({ key, value }) => `${key}: ${value}`))
      .apply(textIO.write(output)),
});
