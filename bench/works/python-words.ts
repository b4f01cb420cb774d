import { pythonWork } from "../python-peers.js";
import { makeText, textPath } from "../text-file.js";
import type { Work } from "../work.js";

/** Of what warms up. */
const SMALL_BYTES = 100_000;

export const work: Work = pythonWork(
  "words",
  {
    title: "the words of a text file, counted in Python",
    unit: "bytes",
    size: 100_000_000,
    quickSize: 5_000_000,
    prepare: async (sizes) => [...sizes.filter((size) => size > 0), SMALL_BYTES].forEach(makeText),
  },
  (size) => [textPath(size), textPath(SMALL_BYTES)],
);
