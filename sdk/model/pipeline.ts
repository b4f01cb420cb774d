import type { GraphBuilder } from "./graph-builder.js";
import type { Appliable } from "./ptransform.js";

/**
 * The root of a pipeline that is being built: sources are applied to it.
 *
 * @example
 * ```ts
 * const numbersTo = (n: number) => (p: Pipeline) => p.apply(create(Array.from({ length: n }, (_, i) => i + 1)));
 * p.apply(numbersTo(10)).apply(sumGlobally());
 * ```
 */
export class Pipeline {
  /** Only for the type checker: a PCollection is no Pipeline, though it has all that one has. */
  declare private readonly root: never;

  /** @internal Built by {@link pipeline}. */
  constructor(/** @internal */ readonly graph: GraphBuilder) {}

  /** Applies a source, or a plain function as a composite. */
  apply<Out>(transform: Appliable<Pipeline, Out>): Out {
    return this.graph.apply(this as Pipeline, transform);
  }
}
