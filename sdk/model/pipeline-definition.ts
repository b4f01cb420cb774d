import { GraphBuilder } from "./graph-builder.js";
import { resolveOptions, type Options, type OptionValues } from "./options.js";
import { Pipeline } from "./pipeline.js";

/** `build` is a method, so that a pipeline with options of its own is a pipeline: who runs it gives options that are checked anyway. */
interface Definition<O extends Options> {
  build(p: Pipeline, options: OptionValues<O>): unknown;
}

/**
 * A pipeline as a value: its options and its builder. What a module exports so that `beamstorm run` finds it.
 *
 * The builder may run many times, here and in every worker process, and must give the same graph for the same options:
 * it must not depend on time, randomness or the machine (design D2).
 *
 * @example
 * ```ts
 * const definition: PipelineDefinition = pipeline((p) => p.apply(create([1, 2, 3])).apply(sumGlobally()));
 * await run(definition, {}, local());
 * ```
 */
export class PipelineDefinition<O extends Options = Options> {
  constructor(
    readonly options: O,
    private readonly builder: Definition<O>["build"],
  ) {}

  /**
   * Runs the builder.
   *
   * @throws PipelineError for unknown, missing or malformed options, and for whatever the builder does wrong.
   */
  build(given: Readonly<Record<string, unknown>> = {}): GraphBuilder {
    const graph = new GraphBuilder();
    this.builder(new Pipeline(graph), resolveOptions(this.options, given));
    return graph;
  }
}

/**
 * Defines a pipeline.
 *
 * @example
 * ```ts
 * export default pipeline({
 *   options: { input: option.string({ default: "README.md", help: "files to read" }) },
 *   build: (p, { input }) => p.apply(textIO.read(input)).apply(countGlobally()),
 * });
 * ```
 */
export function pipeline(build: (p: Pipeline) => unknown): PipelineDefinition<Record<never, never>>;
export function pipeline<const O extends Options>(definition: {
  readonly options?: O;
  readonly build: (p: Pipeline, options: OptionValues<O>) => unknown;
}): PipelineDefinition<O>;
export function pipeline(
  definition: ((p: Pipeline) => unknown) | { options?: Options; build: (p: Pipeline, options: OptionValues<Options>) => unknown },
): PipelineDefinition {
  if (typeof definition === "function") return new PipelineDefinition({}, definition);
  return new PipelineDefinition(definition.options ?? {}, definition.build);
}
