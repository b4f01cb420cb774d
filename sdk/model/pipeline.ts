import type { GraphBuilder } from "./graph-builder.js";
import type { Appliable } from "./ptransform.js";

/** The root of a pipeline that is being built: sources are applied to it. */
export class Pipeline {
  /** @internal Built by {@link pipeline}. */
  constructor(/** @internal */ readonly graph: GraphBuilder) {}

  /** Applies a source, or a plain function as a composite. */
  apply<Out>(transform: Appliable<Pipeline, Out>): Out {
    return this.graph.apply(this as Pipeline, transform);
  }
}
