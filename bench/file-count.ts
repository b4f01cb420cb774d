import { option, pipeline, textIO } from "beamstorm";
import { countWords } from "./word-count.js";

/** Counts the words of a text file. */
export const fileCount = pipeline({
  options: { input: option.string({ help: "file to read" }) },
  build: (p, { input }) => countWords(p.apply(textIO.read(input))),
});
