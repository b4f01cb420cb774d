import { map, PCollection, pipeline, run, type Pipeline } from "../sdk/index.js";
import type { RuntimeOptions } from "../runner/index.js";
import { local } from "./local-runner.js";

/** What a pipeline gives back: an array for a PCollection, one each for several. */
export type OutputsOf<O> =
  O extends PCollection<infer T> ? T[] : { readonly [Name in keyof O]: O[Name] extends PCollection<infer T> ? T[] : never };

/** Options of {@link runPipeline}. */
export interface RunPipelineOptions {
  /**
   * Ends bundles and lets tasks take turns as this number says: with another number in another way. A result that depends on it depends on
   * what no runner promises.
   */
  readonly shuffleSeed?: number;
  /**
   * Whether processing time starts at zero, and goes on when nothing else can happen to the next instant that somebody waits for: so timers,
   * delays and sources by the clock take no time. It is so for a pipeline with a `testStream`, whose script moves time while it lasts. Default
   * false.
   */
  readonly virtualTime?: boolean;
  /** Sizes and limits of the runtime. */
  readonly runtime?: Partial<RuntimeOptions>;
}

/**
 * Runs a pipeline in this process, and gives what the PCollections that `build` returns have had, in no order: for plain unit tests.
 *
 * @throws what the run failed with
 * @example
 * ```ts
 * const shouted = await runPipeline((p) => p.apply(create(["a", "b"])).apply(map((word) => word.toUpperCase())));
 * console.log(shouted.sort());
 * ```
 */
export async function runPipeline<O extends PCollection<unknown> | Readonly<Record<string, PCollection<unknown>>>>(
  build: (p: Pipeline) => O,
  { shuffleSeed, virtualTime, runtime }: RunPipelineOptions = {},
): Promise<OutputsOf<O>> {
  let found: unknown;
  const collect = (pcollection: PCollection<unknown>, name: string): unknown[] => {
    const elements: unknown[] = [];
    pcollection.apply(map(`collected ${name}`, (element) => void elements.push(element)));
    return elements;
  };
  const definition = pipeline((p) => {
    const outputs = build(p);
    found =
      outputs instanceof PCollection
        ? collect(outputs, "output")
        : Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, collect(output, name)]));
  });
  await run(definition, {}, local({ runtime: { shuffleSeed, virtualTime, ...runtime } }));
  return found as OutputsOf<O>;
}
