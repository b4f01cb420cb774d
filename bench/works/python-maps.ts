import { pythonWork } from "../python-peers.js";
import type { Work } from "../work.js";

export const work: Work = pythonWork(
  "maps",
  { title: "three maps of numbers that Python makes, added up", unit: "elements", size: 1_000_000, quickSize: 200_000 },
  () => [],
);
