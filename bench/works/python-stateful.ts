import { pythonWork } from "../python-peers.js";
import type { Work } from "../work.js";

export const work: Work = pythonWork(
  "stateful",
  { title: "a count in state for each element of a thousand keys in Python", unit: "elements", size: 200_000, quickSize: 20_000 },
  () => [],
);
