import type { Work } from "./work.js";

/** Every work, in the order in which they run. */
export const workNames = ["maps", "words", "words-2", "text", "formats", "group", "co-group", "top", "side-input", "spill", "hop"] as const;

export async function loadWork(name: string): Promise<Work> {
  if (!(workNames as readonly string[]).includes(name)) throw new Error(`there is no work "${name}"; there are ${workNames.join(", ")}`);
  return ((await import(`./works/${name}.js`)) as { work: Work }).work;
}
