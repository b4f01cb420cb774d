// A job as Storm would see it: spouts and bolts, joined by streams with a grouping, each run as a number of tasks.
//
// T1. A spout has no input stream but those of side inputs; its head is an impulse, a script or a source, or delivers nothing at all. Any other component
//     is a bolt and has at least one main input stream.
// T2. A component has one main input PCollection, `head.output`: what the head delivers into the stage.
// T3. A grouping operator is the head of the bolt behind it: it never is a component of its own (design D7).
// T4. Components are listed producers before consumers as far as main inputs go; with side inputs there is no cycle either.
// T5. Several streams may join the same two components, even with the same PCollection: each carries every element.
// T6. A stage may have no transforms, or hand on its input besides processing it: then `head.output` is among both its
//     `inputs` and its `outputs`.
import type { StageDescriptor } from "../../portability/stage-host/index.js";

/** What stands between a component's input streams and its fused stage. */
export type Head =
  /** Delivers the one impulse element. */
  | { readonly kind: "impulse"; readonly output: string }
  /** Delivers what the script of a TestStream, a transform of the stage's components, says of the output with this tag. */
  | { readonly kind: "test-stream"; readonly output: string; readonly transformId: string; readonly tag: string }
  /** Delivers what the readers of a source have, a transform of the stage's components: each task has one. */
  | { readonly kind: "read"; readonly output: string; readonly transformId: string; readonly transformName: string }
  /** Delivers nothing: its end of input comes at once. */
  | { readonly kind: "empty"; readonly output: string }
  /** Delivers restrictions as they come, and what is left of them, to the splittable transform that reads `output`. */
  | {
      readonly kind: "splittable";
      readonly output: string;
      readonly windowingStrategyId: string;
      /** Coder of the restrictions, with elements and sizes. */
      readonly coderId: string;
    }
  /** Delivers the elements of the input streams as they come. */
  | { readonly kind: "relay"; readonly output: string }
  /** Groups `KV<K, V>` by key and window into `KV<K, V[]>`, under the windowing strategy of its input. */
  | {
      readonly kind: "group-by-key";
      readonly output: string;
      /** PCollection id of the grouping's input. */
      readonly input: string;
      readonly windowingStrategyId: string;
      /** Coder of the grouping's input, a KV coder. */
      readonly coderId: string;
      readonly transformName: string;
      /** Where elements go that came too late; undefined if nobody reads them. */
      readonly late?: string;
    }
  /** Delivers `KV<K, V>` as they come, and timers, with the state of their key and window, to the transform that reads `output`. */
  | (KeyedTransform & { readonly kind: "keyed"; readonly output: string });

/** A transform with state, and what it reads. */
export interface KeyedTransform {
  readonly windowingStrategyId: string;
  /** Coder of the elements, a KV coder. */
  readonly coderId: string;
  readonly transformId: string;
  readonly transformName: string;
}

/** A PCollection that each task of a component is given whole, to be read beside its main input. */
export interface SideInputPort {
  readonly pcollection: string;
  readonly windowingStrategyId: string;
}

/** A stage's place in a topology: a spout has no input streams, a bolt has some. */
export interface Component {
  /** Unique and readable, e.g. `bolt-2 count words`. */
  readonly id: string;
  readonly kind: "spout" | "bolt";
  readonly head: Head;
  readonly stage: StageDescriptor;
  /** The transform of the stage that has state, where no head delivers to it: of whatever key it asks for, all of which meet in the one task. */
  readonly stateful?: KeyedTransform;
  readonly sideInputs: readonly SideInputPort[];
  /** Number of tasks. */
  readonly parallelism: number;
  /**
   * Whether what the head delivers must be the same whenever it is delivered again. Within a run it is: bundles are tried again with what they
   * were given. A run that goes on from a checkpoint has to hold back from such a stage what the checkpoint does not cover yet.
   */
  readonly requiresStableInput?: boolean;
}

/** How the elements of a stream are dealt out to the consumer's tasks (Storm's term). */
export type Grouping =
  /** By the key group of the element's key: equal keys meet in one task. */
  | "fields"
  /** To the task with the most room, tasks of the same worker first. */
  | "shuffle"
  /** To the task of the same index. */
  | "direct"
  /** To every task: what a side input needs. */
  | "all";

/** A PCollection on its way from one component to another, and how its elements are dealt out to tasks. */
export interface Stream {
  readonly id: number;
  readonly from: string;
  /** The producer's output PCollection. */
  readonly pcollection: string;
  readonly to: string;
  readonly grouping: Grouping;
  /** The side input of `to` that it feeds; undefined for its main input. */
  readonly sideInput: string | undefined;
  /** Coder of the elements, for channels between processes. */
  readonly coderId: string;
  readonly windowingStrategyId: string;
}

/** What a pipeline is run as: components and the streams between them. */
export interface Topology {
  readonly components: readonly Component[];
  readonly streams: readonly Stream[];
  /** Number of key groups that keys hash into; bounds the parallelism of keyed bolts. */
  readonly keyGroups: number;
}
