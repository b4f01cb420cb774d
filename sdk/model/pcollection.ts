import type { Coder } from "../../portability/coders/index.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { Appliable } from "./ptransform.js";
import type { TransformNode } from "./transform-node.js";
import type { WindowingStrategy } from "./windowing.js";

/**
 * A distributed, possibly endless bag of elements of type `T`: the edge between two transforms.
 *
 * Immutable; applying a transform never changes it, so one PCollection may feed any number of transforms.
 *
 * @example
 * ```ts
 * const shout = (lines: PCollection<string>) => lines.apply(map((line) => line.toUpperCase()));
 * lines.apply(shout);
 * ```
 */
export class PCollection<T> {
  /** Only for the type checker: elements come out, so `PCollection<Cat>` is a `PCollection<Animal>`. */
  declare readonly elementType?: () => T;

  /** @internal Use `apply`. */
  constructor(
    /** @internal */ readonly graph: GraphBuilder,
    /** Identity within its pipeline. */
    readonly id: string,
    /** @internal */ readonly producer: TransformNode,
    private elementCoder: Coder<unknown>,
    readonly windowing: WindowingStrategy,
    /** Whether its elements come to an end. */
    readonly isBounded: boolean,
  ) {}

  /** How its elements are encoded; chosen with `withCoder`, or by the transforms that make and read it. */
  get coder(): Coder<unknown> {
    return this.elementCoder;
  }

  /** @internal A reader knows more about elements whose coder nobody has chosen. */
  refineCoder(coder: Coder<unknown>): void {
    this.elementCoder = coder;
  }

  /**
   * Applies a transform, or a plain function as a composite, to this PCollection.
   *
   * @throws PipelineError when a name is used twice in one scope, or the transform cannot take this input.
   */
  apply<Out>(transform: Appliable<PCollection<T>, Out>): Out {
    return this.graph.apply(this as PCollection<T>, transform);
  }
}
