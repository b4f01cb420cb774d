import { local } from "../../local/index.js";
import type { RuntimeOptions } from "../../runner/index.js";
import { map, pipeline, run, type PCollection, type Pipeline } from "../../sdk/index.js";

/** What a pipeline puts out when it is run in this process, in no order. */
export async function outputOf<T>(build: (p: Pipeline) => PCollection<T>, runtime: Partial<RuntimeOptions> = {}): Promise<T[]> {
  const found: T[] = [];
  await run(
    pipeline((p) => build(p).apply(map((element) => void found.push(element)))),
    {},
    local({ runtime }),
  );
  return found;
}
