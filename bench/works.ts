import type { Work } from "./work.js";

/** Every work, in the order in which they run. */
export const workNames = [
  "maps",
  "words",
  "words-2",
  "text",
  "formats",
  "group",
  "co-group",
  "top",
  "side-input",
  "spill",
  "hop",
  "fn-api",
  "nexmark",
  "tumbling",
  "stateful",
  "state-on-disk",
  "timers",
  "checkpoints",
  "checkpoint-time",
  "recovery",
  "latency",
  "nexmark-latency",
] as const;
/** Works that need peers which are not installed with npm: they run when they are named, or with `--peers`. */
export const peerWorkNames = ["python", "python-tiny", "python-words", "python-maps", "python-group", "python-stateful"] as const;
const all: readonly string[] = [...workNames, ...peerWorkNames];

export async function loadWork(name: string): Promise<Work> {
  if (!all.includes(name)) throw new Error(`there is no work "${name}"; there are ${all.join(", ")}`);
  return ((await import(`./works/${name}.js`)) as { work: Work }).work;
}
