import { pythonWork } from "../python-peers.js";
import type { Work } from "../work.js";

export const work: Work = pythonWork(
  "group",
  { title: "groupByKey of pairs in Python, ten a key", unit: "pairs", size: 1_000_000, quickSize: 200_000 },
  () => [],
);
