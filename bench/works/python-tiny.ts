import { pythonWork } from "../python-peers.js";
import type { Work } from "../work.js";

export const work: Work = pythonWork(
  "tiny",
  { title: "an element from Python and back: a job from its building to its end", unit: "seconds", size: 1, quickSize: 1 },
  () => [],
);
