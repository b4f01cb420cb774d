// What fusion makes of a pipeline: stages, and the PCollections that travel between them.
//
// P1. Every stage comes behind the producers of its main input; for its side inputs there is no order, only no cycle.
// P2. `head.output` is the one PCollection a stage reads from outside as its main input; all of its transforms descend from it.
// P3. A stage may have no transforms: it then hands on what its head delivers, and `head.output` is in `outputs`.
import type { LeafTransform } from "./leaf-transforms.js";
import type { PipelineGraph } from "./pipeline-graph.js";

export type StageHead =
  /** Delivers one impulse element. */
  | { readonly kind: "impulse"; readonly output: string; readonly transform: LeafTransform }
  /** Delivers what a script says of this output. */
  | { readonly kind: "test-stream"; readonly output: string; readonly transform: LeafTransform }
  /** Delivers what readers of an unbounded source have. */
  | { readonly kind: "read"; readonly output: string; readonly transform: LeafTransform }
  /** Delivers nothing: the output of a flatten without inputs. */
  | { readonly kind: "empty"; readonly output: string; readonly transform: LeafTransform }
  /** Delivers the elements of its edges; `transform` is the flatten or reshuffle they stand for, if any. */
  | { readonly kind: "relay"; readonly output: string; readonly transform: LeafTransform | undefined }
  /** Delivers the elements of its edges, grouped; and those that came too late to `late`, an output that the stage's transforms never read. */
  | { readonly kind: "group-by-key"; readonly output: string; readonly late?: string; readonly transform: LeafTransform }
  /** Delivers the elements of its edges, those of equal keys to one task, to `transform`, which is the stage's first and has state. */
  | { readonly kind: "keyed"; readonly output: string; readonly transform: LeafTransform }
  /** Delivers the elements of its edges, restrictions with their sizes, and what is left of them, to `transform`, the stage's first. */
  | { readonly kind: "splittable"; readonly output: string; readonly transform: LeafTransform };

export interface FusedStage {
  readonly id: string;
  readonly head: StageHead;
  readonly environmentId: string;
  /** Producers before consumers; never the head's own transform. */
  readonly transforms: readonly LeafTransform[];
  /** The one of them that has state, where that is not its head's. */
  readonly stateful: LeafTransform | undefined;
  /** PCollections that its transforms read as side inputs, each once. */
  readonly sideInputs: readonly string[];
  /** PCollections of the stage that edges take from it; may hold `head.output`. */
  readonly outputs: readonly string[];
  /** Whether one of its transforms requires that what the head delivers is the same whenever it is delivered again. */
  readonly requiresStableInput: boolean;
}

/** Every element of `pcollection` in stage `from` goes to the head of stage `to`. A flatten that reads a PCollection twice gives two edges. */
export interface StageEdge {
  readonly from: string;
  readonly pcollection: string;
  readonly to: string;
  /** Whether an author's reshuffle lies on the way, or only the runner's wish to move on to another stage. */
  readonly reshuffled: boolean;
  /** The side input of stage `to` that the elements belong to; undefined for its main input. */
  readonly sideInput: string | undefined;
}

export interface FusedPipeline {
  readonly graph: PipelineGraph;
  readonly stages: readonly FusedStage[];
  readonly edges: readonly StageEdge[];
}
